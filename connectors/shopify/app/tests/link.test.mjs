import assert from 'node:assert/strict';
import {test} from 'node:test';
import {linkFrom, linkOf} from '../dist/link.mjs';

const HUB = 'https://hub.test';
const PURCHASE = {
  orderId: 'gid://shopify/Order/6198424240428',
  confirmationNumber: 'K3QW9XT2B',
  shop: 'tienda.myshopify.com',
};

test('the address of an order', () => {
  assert.equal(
    linkOf(HUB, PURCHASE),
    'https://hub.test/s/shopify/tienda.myshopify.com/6198424240428?c=K3QW9XT2B',
  );
});

test('on the thank-you page an order has an identity before it is an order', () => {
  const orderId = 'gid://shopify/OrderIdentity/6198424240428';
  assert.equal(linkOf(HUB, {...PURCHASE, orderId}), linkOf(HUB, PURCHASE));
});

for (const [what, change] of Object.entries({
  'no order': {orderId: undefined},
  'another object': {orderId: 'gid://shopify/Product/1'},
  'an order without a number': {orderId: 'gid://shopify/Order/'},
  'an order of too many digits': {orderId: `gid://shopify/Order/${'9'.repeat(21)}`},
  'no confirmation number': {confirmationNumber: undefined},
  'an empty confirmation number': {confirmationNumber: ''},
  'another host': {shop: 'tienda.example'},
  'a host that goes on': {shop: 'tienda.myshopify.com.example'},
})) {
  test(`no address: ${what}`, () => {
    assert.equal(linkOf(HUB, {...PURCHASE, ...change}), undefined);
  });
}

test('a confirmation number cannot leave its place', () => {
  assert.match(linkOf(HUB, {...PURCHASE, confirmationNumber: 'a&b=#/?'}), /\?c=a%26b%3D%23%2F%3F$/);
});

test('only a link of this hub is followed', () => {
  assert.equal(linkFrom(HUB, 'https://hub.test/f/abc'), 'https://hub.test/f/abc');
  for (const other of ['https://hub.test.example/f/abc', 'javascript:alert(1)', 7, undefined]) {
    assert.equal(linkFrom(HUB, other), undefined);
  }
});
