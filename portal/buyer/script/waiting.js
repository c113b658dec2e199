"use strict";
(function () {
  // Ask how it is: often at first, then ever more rarely; not while nobody looks
  var waiting = document.querySelector("[data-poll]");
  if (waiting && window.fetch) { poll(); }
  function poll() {
    var pause = 350, started = Date.now(), timer = 0, asking = false;
    function again() {
      clearTimeout(timer);
      if (!document.hidden) { timer = setTimeout(ask, pause); }
      pause = Math.min(pause * 1.3, 10000);
    }
    function ask() {
      if (asking) { return; }
      asking = true;
      fetch(waiting.dataset.poll, { cache: "no-store", credentials: "omit" })
        .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
        .then(function (state) {
          asking = false;
          // After a minute the page has more to say of the same estado, and asks for an address.
          var late = waiting.dataset.lento && Date.now() - started > 65000;
          if (late || state.estado !== waiting.dataset.estado) { location.replace(location.href.split("#")[0]); return; }
          waiting.textContent = Date.now() - started > 12000 ? waiting.dataset.lento || "" : "";
          again();
        })
        .catch(function () { asking = false; waiting.textContent = waiting.dataset.sinRed; again(); });
    }
    document.addEventListener("visibilitychange", function () { if (!document.hidden) { pause = 350; again(); } });
    again();
  }
})();
