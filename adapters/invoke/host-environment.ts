import process from 'node:process';

/** What a plugin's drivers take from the machine rather than from a configuration: time zone, temporary files, trusted authorities. */
const PASSED_ON = ['TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'] as const;

/** Of a started thread or process. The rest of this process's environment may hold secrets, and is none of a plugin's business. */
export function hostEnvironment(cacheFolder: string): NodeJS.ProcessEnv {
  const passedOn = PASSED_ON.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(passedOn), NODE_COMPILE_CACHE: cacheFolder };
}
