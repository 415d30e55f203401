/** For whoever brings a file of a worker of Kafka Connect or RocketMQ Connect: what becomes of its keys. The longest beginning counts. */
const ADVICE: Readonly<Record<string, string>> = {
  listeners: 'its address is host, and its port is port',
  'rest.port': 'it is port here',
  'rest.host.name': 'it is host here',
  'rest.extension.classes': 'keys.file lists API keys, which Basic takes as passwords',
  'listeners.https.ssl.': 'tls.certificate and tls.key name PEM files',
  'ssl.': 'tls.certificate and tls.key name PEM files',
  'config.providers': 'env, file and dir are there, and secrets.env and secrets.folders say what they may read',
  'config.providers.env.param.allowlist.pattern': 'secrets.env lists the names, or their beginnings with * behind',
  'config.providers.file.param.allowed.paths': 'it is secrets.folders here',
  'config.providers.dir.param.allowed.paths': 'it is secrets.folders here',
  'plugin.': 'all plugins are part of Sortie',
  'key.converter': 'each connector has its own',
  'value.converter': 'each connector has its own',
  'header.converter': 'headers are text',
  'bootstrap.servers':
    'broker=rocketmq and rocketmq.namesrv.addr say where topics are kept; without them, the folder that data names',
  'group.id': 'who shares the folder that data names works together',
  'offset.': 'offsets are kept in the folder that data names, with every commit',
  'config.storage.': 'connectors are kept in the folder that data names',
  'status.storage.': 'it is kept in the folder that data names',
  'topic.tracking.': 'the topics of each connector are always told, and can always be reset',
  'admin.listeners': '/admin is where everything else is, and roles say who may use it',
  'exactly.once.source.support': 'each connector has its own exactly.once.support',
  namesrvAddr: 'it is rocketmq.namesrv.addr here, and counts with broker=rocketmq',
  aclEnable: 'rocketmq.access.key and rocketmq.secret.key are used where they are set',
  accessKey: 'it is rocketmq.access.key here',
  secretKey: 'it is rocketmq.secret.key here',
  httpPort: 'it is port here',
  storePathRootDir: 'it is data here',
  pluginPaths: 'all plugins are part of Sortie',
  workerId: 'who shares the folder that data names works together',
};

/** What to add to a complaint about a key that is no setting here; empty where it is not one of theirs either. */
export function adviceFor(key: string): string {
  const known = Object.keys(ADVICE).filter((beginning) => key.startsWith(beginning));
  const [longest] = known.sort((one, other) => other.length - one.length);
  return longest === undefined ? '' : `: ${ADVICE[longest]}`;
}
