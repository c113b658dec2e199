/** The buyer's address at the hub for one order, made without asking anybody. */

const ORDER = /^gid:\/\/shopify\/(?:Order|OrderIdentity)\/(\d{1,20})$/;
const SHOP = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/;

export interface Purchase {
  /** `gid://shopify/Order/…`; on the thank-you page the order itself may not exist yet. */
  orderId: string | undefined;
  /** Random, and known only to the shop and the buyer: it is what opens the page. */
  confirmationNumber: string | undefined;
  /** `….myshopify.com`, which never changes. */
  shop: string;
}

/** Undefined where the shop does not tell enough; the e-mail and the counter still help then. */
export function linkOf(hub: string, {orderId, confirmationNumber, shop}: Purchase): string | undefined {
  const number = ORDER.exec(orderId ?? '')?.[1];
  if (!number || !confirmationNumber || !SHOP.test(shop)) return undefined;
  return `${hub}/s/shopify/${shop}/${number}?c=${encodeURIComponent(confirmationNumber)}`;
}

/** A link that the hub wrote at the order, if it is one of this very hub. */
export function linkFrom(hub: string, written: unknown): string | undefined {
  return typeof written === 'string' && written.startsWith(`${hub}/`) ? written : undefined;
}
