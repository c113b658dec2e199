'use strict';
(() => {
  const words = JSON.parse(document.getElementById('words').textContent);
  const at = (id) => document.getElementById(id);
  const show = (id, shown) => { at(id).hidden = !shown; };
  const local = document.documentElement.lang === 'en' ? 'en-MX' : 'es-MX';

  /** Asks the hub with a token that Shopify makes anew: it says which shop this is. */
  async function ask(path, body) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 30000);
    try {
      const token = await window.shopify.idToken();
      const answer = await fetch(`app/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'},
        body: body ? JSON.stringify(body) : undefined,
        signal: stop.signal,
      });
      const told = await answer.json();
      if (!answer.ok) throw new Refused(told.error);
      return told;
    } finally {
      clearTimeout(timer);
    }
  }

  class Refused extends Error {
    constructor(error) {
      super(document.documentElement.lang === 'en' ? error.message : error.message_es);
    }
  }

  /** An answer that comes after the page has moved on is nobody's. */
  let turn = 0;
  let looks = 0;

  const said = (error) => (error instanceof Refused ? error.message : words.no_answer);

  async function load() {
    const mine = ++turn;
    at('home').setAttribute('aria-busy', 'true');
    show('trouble', false);
    try {
      const told = await ask('state');
      if (mine === turn) draw(told);
    } catch (error) {
      if (mine !== turn) return;
      at('trouble-text').textContent = said(error);
      show('trouble', true);
    }
    show('loading', false);
    at('home').setAttribute('aria-busy', 'false');
  }

  function draw(told) {
    show('connecting', !told.connected);
    show('connected', told.connected);
    if (!told.connected) return;
    const spanish = document.documentElement.lang !== 'en';
    // A shop that has just come is looked at within seconds.
    if (told.state === 'checking' && (looks += 1) <= 10) {
      const mine = turn;
      setTimeout(() => mine === turn && load(), 3000);
    }
    at('merchant').textContent = told.merchant;
    at('badge').textContent = words[`state_${told.state}`] ?? told.state;
    at('badge').className = told.state === 'trouble' ? 'badge trouble' : 'badge';
    show('problems', told.problems.length > 0);
    fill(at('problems').querySelector('ul'), told.problems, (problem) =>
      element('li', spanish ? problem.message_es : problem.message));
    at('editor').href = `https://${told.shop}/admin/settings/checkout`;
    at('notifications').href = `https://${told.shop}/admin/settings/notifications`;
    at('snippet').value = told.snippet;
    show('gaps', told.gaps.length > 0);
    fill(at('gaps').querySelector('tbody'), told.gaps, (gap) =>
      row([gap.description, gap.sku || '—', [String(gap.sales), 'number']]));
    show('no-sales', told.sales.length === 0);
    show('sales', told.sales.length > 0);
    fill(at('sales').querySelector('tbody'), told.sales, (sale) =>
      row([
        sale.number,
        instant(sale.placed_at),
        [money(sale.total, sale.currency), 'number'],
        words[`estado_${sale.estado}`] ?? sale.estado,
        sale.link ? link(sale) : '',
      ]));
    const health = [
      [words.last_delivery, told.last_delivery_at ? instant(told.last_delivery_at) : words.never],
      [words.last_fetch, told.last_fetch_at ? instant(told.last_fetch_at) : words.never],
      [words.keys, words[`keys_${told.keys}`] ?? told.keys],
      [words.window, spanish ? told.window_es : told.window],
    ];
    at('health').replaceChildren(...health.flatMap(([name, value]) =>
      [element('dt', name), element('dd', value)]));
  }

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function link(sale) {
    const made = element('a', words.link);
    made.href = sale.link;
    made.setAttribute('aria-label', `${words.link}: ${sale.number}`);
    made.target = '_blank';
    made.rel = 'noopener noreferrer';
    return made;
  }

  function row(cells) {
    const made = document.createElement('tr');
    for (const cell of cells) {
      const [content, kind] = Array.isArray(cell) ? cell : [cell, ''];
      const td = document.createElement('td');
      td.append(content);
      td.className = kind;
      made.append(td);
    }
    return made;
  }

  const fill = (place, many, draw_one) => place.replaceChildren(...many.map(draw_one));
  const instant = (text) =>
    new Date(text).toLocaleString(local, {dateStyle: 'medium', timeStyle: 'short'});
  const money = (amount, currency) =>
    new Intl.NumberFormat(local, {style: 'currency', currency}).format(amount);

  at('again').addEventListener('click', load);

  at('pair').addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = event.submitter ?? at('pair').querySelector('button');
    button.disabled = true;
    at('code-error').textContent = '';
    at('code').removeAttribute('aria-invalid');
    turn += 1;
    looks = 0;
    try {
      draw(await ask('pair', {code: at('code').value}));
      at('code').value = '';
      at('merchant').tabIndex = -1;
      at('merchant').focus();
    } catch (error) {
      at('code-error').textContent = said(error);
      at('code').setAttribute('aria-invalid', 'true');
      at('code').focus();
    } finally {
      button.disabled = false;
    }
  });

  at('copy').addEventListener('click', async () => {
    at('snippet').select();
    try {
      await navigator.clipboard.writeText(at('snippet').value);
    } catch {
      document.execCommand('copy'); // in a frame the clipboard may be closed to us
    }
    at('copied').textContent = words.copied;
  });

  // Browsers may keep a frame of another site from asking by a dialog of theirs.
  const asking = (asked) => {
    show('leave', !asked);
    show('leave-sure', asked);
    at(asked ? 'leave-no' : 'leave').focus();
  };
  at('leave').addEventListener('click', () => asking(true));
  at('leave-no').addEventListener('click', () => asking(false));

  at('leave-yes').addEventListener('click', async () => {
    at('leave-yes').disabled = true;
    turn += 1;
    try {
      draw(await ask('disconnect', {}));
      asking(false);
      at('code').focus();
    } catch (error) {
      at('trouble-text').textContent = said(error);
      show('trouble', true);
    } finally {
      at('leave-yes').disabled = false;
    }
  });

  load();
})();
