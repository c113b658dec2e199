"use strict";
// The page works without any of these scripts; they save round trips, mistakes and typed data.
// `pagina` is what they share.
var pagina = { script: document.currentScript, byId: function (id) { return document.getElementById(id); } };
(function () {
  var byId = pagina.byId, words = pagina.script.dataset;

  // --- one submission, however often the button is pressed; none into a dead network
  function button(form, event) {
    var pressed = event.submitter;
    return pressed && !pressed.classList.contains("visually-hidden") ? pressed : form.querySelector(".primary, button:not(.visually-hidden)");
  }
  function busy(form, pressed) {
    form.dataset.sent = "1";
    pressed.dataset.words = pressed.textContent;
    pressed.setAttribute("aria-disabled", "true");
    pressed.textContent = pressed.dataset.busy || (!pressed.value && form.dataset.busy) || pressed.textContent;
  }
  function free(form) {
    delete form.dataset.sent;
    delete form.dataset.reached;
    form.querySelectorAll("[data-words]").forEach(function (each) {
      each.textContent = each.dataset.words;
      each.removeAttribute("aria-disabled");
      delete each.dataset.words;
    });
  }
  // Whether the hub answers at all. A post that failed would leave the browser's own error page.
  function reach(yes, no) {
    var stop = new AbortController(), timer = setTimeout(function () { stop.abort(); }, 15000);
    fetch(pagina.script.src, { method: "HEAD", cache: "no-store", credentials: "omit", signal: stop.signal })
      .then(yes, no).finally(function () { clearTimeout(timer); });
  }
  function calm(form, again) {
    var told = byId("sin-red") || document.createElement("div"), text = document.createElement("p"), retry = document.createElement("button");
    told.id = "sin-red";
    told.className = "notice stack-tight";
    told.tabIndex = -1;
    told.setAttribute("role", "alert");
    text.textContent = words.sinRed;
    retry.type = "button";
    retry.className = "button";
    retry.textContent = words.otraVez;
    retry.addEventListener("click", again);
    told.replaceChildren(text, retry);
    form.append(told);
    told.focus();
  }
  document.querySelectorAll("form[data-once]").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.reached) { return; }
      if (form.dataset.sent) { event.preventDefault(); return; }
      var submitter = event.submitter, told = byId("sin-red");
      if (told) { told.remove(); }
      busy(form, button(form, event));
      if (!window.fetch || !form.requestSubmit) { return; }
      event.preventDefault();
      reach(function () {
        form.dataset.reached = "1";
        form.requestSubmit(submitter);
      }, function () {
        free(form);
        calm(form, function () { form.requestSubmit(submitter); });
      });
    });
  });
  // Back from the next page: browsers may show this one as it was left.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { document.querySelectorAll("form[data-once]").forEach(free); }
  });

  // --- errors: the summary has the focus, its links go into the field
  var first = document.querySelector("[autofocus]");
  if (first) {
    // `autofocus` does it in the first frames, where the browser knows it on such an element.
    window.addEventListener("load", function () {
      setTimeout(function () { if (document.activeElement === document.body) { first.focus(); } }, 250);
    });
  }
  var summary = byId("errores");
  if (summary) {
    summary.addEventListener("click", function (event) {
      var link = event.target.closest("a[href^='#']"), target = link && byId(link.getAttribute("href").slice(1));
      if (target) { event.preventDefault(); target.focus(); target.closest(".field").scrollIntoView({ block: "nearest" }); }
    });
  }
  pagina.showError = function (input, text) {
    var error = byId(input.id + "-error");
    if (!error) {
      error = document.createElement("p");
      error.className = "field-error";
      error.id = input.id + "-error";
      error.setAttribute("role", "alert");
      input.before(error);
      input.setAttribute("aria-describedby", (error.id + " " + (input.getAttribute("aria-describedby") || "")).trim());
    }
    error.textContent = text;
    input.closest(".field").classList.add("has-error");
    input.setAttribute("aria-invalid", "true");
  };
  pagina.clearError = function (input) {
    var error = byId(input.id + "-error");
    if (!error) { return; }
    error.remove();
    input.closest(".field").classList.remove("has-error");
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", (input.getAttribute("aria-describedby") || "").replace(input.id + "-error", "").trim());
  };
})();
