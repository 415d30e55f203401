/** Of the plugin; events name it in their source block. */
export const VERSION = '1.0.0';
