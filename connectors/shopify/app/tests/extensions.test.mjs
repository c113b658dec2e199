// The components as Shopify runs them: a global `shopify`, elements `s-…`, locales of the folder.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {h} from 'preact';
import {renderToString} from 'preact-render-to-string';
import {HUB} from '../dist/hub.mjs';

const WORDS = Object.fromEntries(
  ['thank-you', 'order-status'].map((name) => [
    name,
    Object.fromEntries(
      ['es.default', 'en'].map((language) => [
        language,
        JSON.parse(readFileSync(`extensions/factura-${name}/locales/${language}.json`, 'utf8')),
      ]),
    ),
  ]),
);

function drawn(name, component, api, language = 'es.default') {
  globalThis.shopify = {
    i18n: {translate: (key) => WORDS[name][language][key] ?? assert.fail(`no word for ${key}`)},
    shop: {myshopifyDomain: 'tienda.myshopify.com'},
    settings: {value: {}},
    extension: {},
    ...api,
  };
  return renderToString(h(component));
}

const {ThankYou} = await import('../dist/thank-you.mjs');
const {OrderStatus} = await import('../dist/order-status.mjs');

const bought = (number) => ({orderConfirmation: {value: {order: {id: 'gid://shopify/OrderIdentity/77'}, number}}});
const ordered = (order, ...metafields) => ({
  order: {value: order},
  appMetafields: {
    value: metafields.map(([key, value, type = 'order', namespace = '$app']) => ({
      target: {type, id: '77'},
      metafield: {namespace, key, value, type: 'x'},
    })),
  },
});
const ORDER = {id: 'gid://shopify/Order/77', name: '#1001', confirmationNumber: 'K3QW9XT2B'};

test('thank you: the address of the purchase', () => {
  const html = drawn('thank-you', ThankYou, bought('K3QW9XT2B'));
  assert.ok(html.includes(`href="${HUB}/s/shopify/tienda.myshopify.com/77?c=K3QW9XT2B"`), html);
  assert.ok(html.includes('Facturar mi compra'));
});

test('thank you: in English, and in the merchant\'s own words', () => {
  assert.ok(drawn('thank-you', ThankYou, bought('K3QW9XT2B'), 'en').includes('Get my invoice'));
  const settings = {value: {titulo: 'Su factura <b>', texto: '  '}};
  const html = drawn('thank-you', ThankYou, {...bought('K3QW9XT2B'), settings});
  assert.ok(html.includes('Su factura &lt;b>'), html);
  assert.ok(html.includes(WORDS['thank-you']['es.default'].texto));
});

test('thank you: nothing without a confirmation number, but the editor shows what it places', () => {
  assert.equal(drawn('thank-you', ThankYou, bought(undefined)), '');
  const html = drawn('thank-you', ThankYou, {...bought(undefined), extension: {editor: {type: 'checkout'}}});
  assert.ok(html.includes('disabled') && !html.includes('href'), html);
});

test('order status: the address made here, until the hub wrote one', () => {
  const made = drawn('order-status', OrderStatus, ordered(ORDER));
  assert.ok(made.includes(`${HUB}/s/shopify/tienda.myshopify.com/77?c=K3QW9XT2B`), made);
  const written = drawn('order-status', OrderStatus, ordered(ORDER, ['factura_url', `${HUB}/f/token`]));
  assert.ok(written.includes(`href="${HUB}/f/token"`), written);
});

test('order status: says when the invoice is there, also of a cancelled order', () => {
  const html = drawn('order-status', OrderStatus, ordered({...ORDER, cancelledAt: '2026-11-01'}, ['factura_url', `${HUB}/f/token`], ['factura_estado', 'lista']));
  assert.ok(html.includes('Tu factura está lista') && html.includes('Ver mi factura'), html);
});

test('order status: nothing for a cancelled order, nor before Shopify tells of it', () => {
  assert.equal(drawn('order-status', OrderStatus, ordered({...ORDER, cancelledAt: '2026-11-01'})), '');
  assert.equal(drawn('order-status', OrderStatus, ordered(undefined)), '');
});

test('order status: what others wrote is not followed', () => {
  for (const [key, value, type, namespace] of [
    ['factura_url', 'https://elsewhere.example/f/token', 'order', '$app'],
    ['factura_url', `${HUB}/f/other`, 'shop', '$app'],
    ['factura_url', `${HUB}/f/other`, 'order', 'custom'],
  ]) {
    const html = drawn('order-status', OrderStatus, ordered(ORDER, [key, value, type, namespace]));
    assert.ok(html.includes('/s/shopify/') && !html.includes('/f/'), html);
  }
});

test('both languages have the same words', () => {
  for (const words of Object.values(WORDS)) {
    assert.deepEqual(Object.keys(words.en), Object.keys(words['es.default']));
  }
});
