"use strict";
// A page that waits for a shop asks by itself, without loading again under whoever reads it.
// Without a script its `noscript` refresh does the same.
(function () {
  var waiting = document.querySelector("[data-again]");
  if (!waiting || !window.fetch) { return; }
  var address = waiting.dataset.again, pause = waiting.dataset.seconds * 1000;
  function ask() {
    fetch(address, { cache: "no-store" })
      .then(function (answer) { return answer.text().then(function (text) { return { text: text, url: answer.url }; }); })
      .then(function (answer) {
        var next = new DOMParser().parseFromString(answer.text, "text/html").querySelector("[data-again]");
        if (!next) { location.replace(answer.url); return; }
        address = next.dataset.again;
        later();
      })
      .catch(later);
  }
  function later() { setTimeout(ask, pause); }
  later();
})();
