/**
 * Keeps pages of other sites out, which a browser on this machine runs. They cannot read answers, for none allows it, but a browser
 * sends their requests all the same; and a name of theirs that is made to mean this machine makes them pages of this site.
 */
import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../routes/api-error.ts';

/** Nothing is changed by them. */
const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a browser says of a request that no other site made: `none` is its user. https://www.w3.org/TR/fetch-metadata/, read 2026-11-26 */
const OWN_SITE = new Set(['same-origin', 'none']);

const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** What is no browser says neither where it comes from nor what made it ask. */
export const refuseOtherSites: MiddlewareHandler = async ({ req }, next) => {
  if (!READING.has(req.method)) {
    const site = req.header('sec-fetch-site');
    const origin = req.header('origin');
    const isOwn =
      (site === undefined || OWN_SITE.has(site)) && (origin === undefined || hostOf(origin) === new URL(req.url).host);
    if (!isOwn) throw new ApiError(403, `A page of another site (${origin ?? site}) may change nothing here`);
  }
  await next();
};

/** Where nobody has to say who he is, being on this machine is all that counts. */
export const demandLoopbackName: MiddlewareHandler = async ({ req }, next) => {
  const { hostname } = new URL(req.url);
  if (!LOOPBACK.test(hostname)) throw new ApiError(403, `This is reached as localhost or 127.0.0.1 only, not as ${hostname}`);
  await next();
};

/** The scheme does not count: what stands before a server may speak TLS for it. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
