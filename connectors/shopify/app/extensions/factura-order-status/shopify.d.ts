import '@shopify/ui-extensions';

// As Shopify's CLI writes it for the target of the module.
// @ts-ignore: a module may not be declared by a relative name, and the CLI's types do just that.
declare module './src/OrderStatus.tsx' {
  const shopify: import('@shopify/ui-extensions/customer-account.order-status.block.render').Api;
  const globalThis: {shopify: typeof shopify};
}
