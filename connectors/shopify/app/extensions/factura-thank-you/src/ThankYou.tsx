import '@shopify/ui-extensions/preact';
import {render} from 'preact';

import {HUB} from '../../../src/hub';
import {linkOf} from '../../../src/link';

export default () => {
  render(<ThankYou />, document.body);
};

export function ThankYou() {
  const {order, number} = shopify.orderConfirmation.value;
  const href = linkOf(HUB, {
    orderId: order.id,
    confirmationNumber: number,
    shop: shopify.shop.myshopifyDomain,
  });
  // In the editor there is no purchase: the merchant has to see what is being placed all the same.
  const placing = shopify.extension.editor !== undefined;
  if (href === undefined && !placing) return null;
  return (
    <s-section heading={setting('titulo') ?? shopify.i18n.translate('titulo')}>
      <s-stack gap="base">
        <s-paragraph>{setting('texto') ?? shopify.i18n.translate('texto')}</s-paragraph>
        {href === undefined ? (
          <s-button disabled variant="secondary">{shopify.i18n.translate('boton')}</s-button>
        ) : (
          <s-button href={href} target="_blank" variant="secondary">
            {shopify.i18n.translate('boton')}
          </s-button>
        )}
      </s-stack>
    </s-section>
  );
}

function setting(key: string): string | undefined {
  const value = shopify.settings.value[key];
  return typeof value === 'string' && value.trim() ? value : undefined;
}
