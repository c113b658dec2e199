"use strict";
// What was typed survives a closed tab; what the buyer wants kept is there the next time. Only in
// this browser, and only where it lets us: private windows and frames may not.
(function () {
  var byId = pagina.byId, me = pagina.script.dataset, DAYS = 7, MOST = 5;
  var DRAFT = "borrador:", KEPT = "mis-datos", NAMES = ["rfc", "nombre", "cp", "regimen", "uso", "correo"];
  var store = opened(), form = document.querySelector("#factura, #solicitud");
  again();
  if (!store || !me.clave) { return; }
  var key = DRAFT + me.clave;

  // A page that answered a form: loaded again, or come back to, it is asked for and not sent again.
  // Browsers would ask whether to repeat it, or show an error of their own (ERR_CACHE_MISS).
  // What was typed comes back from the draft, or else stays in this tab's history.
  function again() {
    var drafts = !!(form || byId("confirmar")), typed = {};
    var fields = document.querySelectorAll("main textarea, main input:not([type=hidden], [type=file], [type=checkbox])");
    if (me.enviado && (store || !drafts)) {
      fields.forEach(function (field) { typed[field.id] = field.value; });
      history.replaceState(drafts ? null : typed, "", me.enviado + location.hash);
    } else if (!drafts && history.state) {
      fields.forEach(function (field) { if (field.id in history.state) { field.value = history.state[field.id]; } });
    }
  }

  function opened() {
    try {
      window.localStorage.setItem("prueba", "1");
      window.localStorage.removeItem("prueba");
      return window.localStorage;
    } catch (closed) { return null; }
  }
  function read(name) {
    try { return JSON.parse(store.getItem(name)) || null; } catch (broken) { return null; }
  }
  function write(name, value) {
    try { store.setItem(name, JSON.stringify(value)); } catch (full) { /* then it is not kept */ }
  }
  // --- drafts: one a page, named by a hash of its link, for a week
  function draft() {
    var found = read(key);
    return found && typeof found === "object" && Date.now() - found.at < DAYS * 864e5 ? found : null;
  }
  function sweep() {
    Object.keys(store).filter(function (name) { return name.startsWith(DRAFT); }).forEach(function (name) {
      var found = read(name);
      if (!found || !(Date.now() - found.at < DAYS * 864e5)) { store.removeItem(name); }
    });
  }
  function typed(source) {
    var data = { at: Date.now(), guardar: !!(byId("guardar") ? byId("guardar").checked : (draft() || {}).guardar) };
    NAMES.concat("mensaje").forEach(function (name) {
      var field = source.elements[name];
      if (field) { data[name] = String(field.value).slice(0, 1000); }
    });
    return data;
  }
  function keep() { write(key, typed(form)); }
  sweep();
  if (me.estado === "lista") {
    var last = draft();
    if (last && last.guardar) { remember(last); }
    store.removeItem(key);
  }
  // What is confirmed is what would be kept: names and codes as they go into the invoice.
  // A foreigner's is the generic RFC, which is nobody's to keep.
  var said = byId("confirmar") && byId("confirmar").elements.rfc.value;
  if (said && said !== "XEXX010101000") { write(key, typed(byId("confirmar"))); }
  if (form && byId("rfc")) {
    var before = draft();
    if (before && !("escrito" in form.dataset) && differs(before)) {
      pagina.fill(before);
      if (byId("mensaje") && before.mensaje) { byId("mensaje").value = before.mensaje; }
      byId("recuperado") && (byId("recuperado").hidden = false);
      byId("conocidos") && byId("conocidos").remove();
    }
    if (byId("guardar")) {
      byId("guardar-caja").hidden = false;
      byId("guardar").checked = !!(before && before.guardar);
    }
    ["input", "change"].forEach(function (kind) { form.addEventListener(kind, keep); });
    if ("escrito" in form.dataset) { keep(); }
    document.querySelectorAll("[data-borrar]").forEach(function (button) {
      button.addEventListener("click", function (event) {
        event.preventDefault();
        pagina.fill({ rfc: "", nombre: "", cp: "", regimen: "", uso: "", correo: "" });
        store.removeItem(key);
        button.closest(".notice").remove();
        byId("rfc").focus();
      });
    });
    show();
  }
  function differs(data) {
    return NAMES.some(function (name) { return data[name] && form.elements[name] && data[name] !== form.elements[name].value; });
  }

  // --- data that the buyer wants kept: up to five taxpayers
  function kept() {
    var found = read(KEPT);
    return Array.isArray(found) ? found.filter(function (one) { return one && typeof one.rfc === "string"; }).slice(0, MOST) : [];
  }
  function remember(data) {
    var one = {};
    NAMES.forEach(function (name) { one[name] = data[name] || ""; });
    if (!one.rfc) { return; }
    write(KEPT, [one].concat(kept().filter(function (other) { return other.rfc !== one.rfc; })).slice(0, MOST));
  }
  function show() {
    var shelf = byId("guardados"), all = kept();
    if (!shelf) { return; }
    shelf.hidden = !all.length;
    shelf.replaceChildren.apply(shelf, all.map(function (one) {
      var row = document.createElement("div"), use = made("button"), forget = made("button quiet small");
      var name = one.rfc.slice(0, 4) + "••••" + one.rfc.slice(-3);
      row.className = "keep";
      use.textContent = shelf.dataset.usar + " " + name + " · " + (one.rfc.length === 12 ? shelf.dataset.empresa : shelf.dataset.persona);
      use.addEventListener("click", function () {
        pagina.fill(one);
        byId("guardar").checked = true;
        keep();
        form.querySelector(".primary").focus();
      });
      forget.textContent = shelf.dataset.olvidar;
      forget.setAttribute("aria-label", shelf.dataset.olvidar + " " + name);
      forget.addEventListener("click", function () {
        write(KEPT, kept().filter(function (other) { return other.rfc !== one.rfc; }));
        show();
      });
      row.append(use, forget);
      return row;
    }));
  }
  function made(name) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = name;
    return button;
  }
})();
