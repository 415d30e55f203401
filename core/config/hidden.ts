/** What is shown instead of a secret, as Kafka Connect does. Sent back in a configuration it stands for the secret that is stored. */
export const HIDDEN = '[hidden]';
