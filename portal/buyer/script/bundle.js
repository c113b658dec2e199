"use strict";
(function () {
  // The links of this merchant's purchases that this browser was told to remember. They are the
  // right to the documents, so nothing is kept unasked, and all of it can be forgotten.
  var form = document.getElementById("paquete");
  if (!form) { return; }
  var most = 50, key = "facturas:" + form.dataset.comercio, token = form.dataset.enlace;
  var byId = function (id) { return document.getElementById(id); };
  var button = byId("paquete-boton"), box = byId("recordar"), alone = button.textContent;

  function kept() {
    try {
      var found = JSON.parse(localStorage.getItem(key) || "[]");
      return Array.isArray(found) ? found.filter(function (one) { return typeof one === "string" && /^[\w-]{20,100}$/.test(one); }) : [];
    } catch (error) { return []; }
  }
  function keep(links) {
    try {
      if (links.length) { localStorage.setItem(key, JSON.stringify(links.slice(0, most))); } else { localStorage.removeItem(key); }
    } catch (error) { /* a full or forbidden storage: as if it had not been asked for */ }
    show();
  }
  function others() { return kept().filter(function (one) { return one !== token; }); }
  function show() {
    var links = kept(), all = others().length + 1;
    box.checked = links.indexOf(token) >= 0;
    button.textContent = all > 1 ? form.dataset.varias.replace("{n}", all) : alone;
    byId("olvidar").hidden = !links.length;
  }
  box.addEventListener("change", function () { keep(box.checked ? [token].concat(others()) : others()); });
  byId("olvidar").addEventListener("click", function () { keep([]); box.focus(); });
  form.addEventListener("submit", function () {
    form.querySelectorAll("[name=enlace]").forEach(function (one) { one.remove(); });
    others().slice(0, most).forEach(function (one) {
      var field = document.createElement("input");
      field.type = "hidden";
      field.name = "enlace";
      field.value = one;
      form.append(field);
    });
  });
  try {
    localStorage.setItem(key + "?", "1");
    localStorage.removeItem(key + "?");
    byId("recordar-caja").hidden = false;
    show();
  } catch (error) { /* no storage: this one purchase is what there is */ }
})();
