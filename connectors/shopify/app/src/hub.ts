/** Where the hub of this app lives. Written by `python -m connectors.shopify.packaging`. */
export const HUB = 'https://facturas.example';
