import '@shopify/ui-extensions/preact';
import {render} from 'preact';

import {HUB} from '../../../src/hub';
import {linkFrom, linkOf} from '../../../src/link';

export default () => {
  render(<OrderStatus />, document.body);
};

/**
 * Whoever opened the page by the link of an e-mail may be anybody (`pre_authenticated`): it shows
 * where the invoice is had, and never whose data it carries.
 */
export function OrderStatus() {
  const order = shopify.order.value;
  const state = written('factura_estado');
  const href =
    linkFrom(HUB, written('factura_url')) ??
    linkOf(HUB, {
      orderId: order?.id,
      confirmationNumber: order?.confirmationNumber,
      shop: shopify.shop.myshopifyDomain,
    });
  const ready = state === 'lista';
  // A cancelled order is no sale any more, but an invoice that was made of it can still be had.
  if (href === undefined || (order?.cancelledAt && !ready)) return null;
  return (
    <s-section heading={shopify.i18n.translate(ready ? 'titulo_lista' : 'titulo')}>
      <s-stack gap="base">
        <s-paragraph>{shopify.i18n.translate(ready ? 'texto_lista' : 'texto')}</s-paragraph>
        <s-button href={href} target="_blank" variant="secondary">
          {shopify.i18n.translate(ready ? 'boton_lista' : 'boton')}
        </s-button>
      </s-stack>
    </s-section>
  );
}

/** What the hub wrote at the order, in the app's own namespace. */
function written(key: string): unknown {
  return shopify.appMetafields.value.find(
    ({target, metafield}) =>
      target.type === 'order' && metafield.namespace === '$app' && metafield.key === key,
  )?.metafield.value;
}
