// The snippet for the confirmation e-mail, as Liquid renders it.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {Liquid} from 'liquidjs';

const snippet = readFileSync('email/factura.liquid', 'utf8');
const rendered = (order) => new Liquid().parseAndRenderSync(snippet, order).trim();

test('the link of the order', () => {
  const html = rendered({id: 6198424240428, confirmation_number: 'K3QW9XT2B'});
  assert.match(html, /^<p>\s*<a href="https:\/\/[^"]+\/s\/shopify\/[^/"]+\/6198424240428\?c=K3QW9XT2B"/);
});

test('nothing for an order without a confirmation number', () => {
  assert.equal(rendered({id: 1}), '');
  assert.equal(rendered({id: 1, confirmation_number: ''}), '');
});

test('a number cannot leave the address', () => {
  assert.ok(!rendered({id: 1, confirmation_number: '"><b>'}).includes('"><b>'));
});
