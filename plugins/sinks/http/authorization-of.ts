import type { PluginContext } from '../../api/context.ts';
import { type Authorization, basic, fixedAuthorization } from './authorization.ts';
import type { HttpSinkSettings } from './http-config.ts';
import { OAuth2Token } from './oauth2-token.ts';

/** What the configuration names. Its schema has seen to it that nothing is missing. */
export function authorizationOf(config: HttpSinkSettings, context: Pick<PluginContext, 'clock' | 'fetch'>): Authorization {
  const header = config['http.headers.authorization'] ?? null;
  const { 'connection.user': user = '', 'connection.password': password = '', 'bearer.token': token = '' } = config;
  switch (config['http.authorization.type']) {
    case 'none':
      return fixedAuthorization(null, []);
    case 'static':
      return fixedAuthorization(header, header?.split(' ') ?? []);
    case 'basic':
      return fixedAuthorization(basic(user, password), [password, basic(user, password).slice('Basic '.length)]);
    case 'bearer':
      return fixedAuthorization(`Bearer ${token}`, [token]);
    case 'oauth2':
      return new OAuth2Token(oauth2ClientOf(config), context);
  }
}

function oauth2ClientOf(config: HttpSinkSettings) {
  return {
    url: config['oauth2.access.token.url'] ?? { href: '', origin: '' },
    id: config['oauth2.client.id'] ?? '',
    secret: config['oauth2.client.secret'] ?? '',
    mode: config['oauth2.client.authorization.mode'],
    scope: config['oauth2.client.scope'] ?? null,
    property: config['oauth2.response.token.property'],
  };
}
