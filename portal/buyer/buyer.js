"use strict";
// The page works without any of this; it saves round trips and mistakes.
(function () {
  var form = document.querySelector("#factura, #solicitud");
  var byId = function (id) { return document.getElementById(id); };

  // --- one submission, however often the button is pressed
  document.querySelectorAll("form[data-once]").forEach(function (each) {
    each.addEventListener("submit", function (event) {
      if (each.dataset.sent) { event.preventDefault(); return; }
      each.dataset.sent = "1";
      var pressed = event.submitter || each.querySelector("button");
      pressed.dataset.words = pressed.textContent;
      pressed.setAttribute("aria-disabled", "true");
      if (!pressed.value) { pressed.textContent = each.dataset.busy; }
    });
  });
  // Back from the next page: browsers may show this one as it was left.
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) { return; }
    document.querySelectorAll("form[data-once]").forEach(function (each) { delete each.dataset.sent; });
    document.querySelectorAll("[data-words]").forEach(function (button) {
      button.textContent = button.dataset.words;
      button.removeAttribute("aria-disabled");
    });
  });

  // --- errors: the summary has the focus, its links go into the field
  var summary = byId("errores");
  if (summary) {
    // `autofocus` does it in the first frames, where the browser knows it on such an element.
    window.addEventListener("load", function () {
      setTimeout(function () { if (document.activeElement === document.body) { summary.focus(); } }, 250);
    });
    summary.addEventListener("click", function (event) {
      var link = event.target.closest("a[href^='#']");
      var target = link && byId(link.getAttribute("href").slice(1));
      if (target) { event.preventDefault(); target.focus(); target.closest(".field").scrollIntoView({ block: "nearest" }); }
    });
  }
  function showError(input, text) {
    var field = input.closest(".field"), error = byId(input.id + "-error");
    if (!error) {
      error = document.createElement("p");
      error.className = "field-error";
      error.id = input.id + "-error";
      input.before(error);
      input.setAttribute("aria-describedby", (error.id + " " + (input.getAttribute("aria-describedby") || "")).trim());
    }
    error.textContent = text;
    field.classList.add("has-error");
    input.setAttribute("aria-invalid", "true");
  }
  function clearError(input) {
    var error = byId(input.id + "-error");
    if (!error) { return; }
    error.remove();
    input.closest(".field").classList.remove("has-error");
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", (input.getAttribute("aria-describedby") || "").replace(input.id + "-error", "").trim());
  }

  // --- RFC decides the regimen, the regimen decides the uso
  if (form && byId("rfc")) { followRfc(); }
  function followRfc() {
    var rfc = byId("rfc"), regimen = byId("regimen"), uso = byId("uso");
    var regimenes = readGroups(regimen), usos = readGroups(uso), shownFor = null;

    function readGroups(select) {
      return Array.prototype.map.call(select.querySelectorAll("optgroup"), function (group) {
        return {
          label: group.label, personas: group.dataset.personas || "fm",
          options: Array.prototype.map.call(group.children, function (option) {
            return {
              value: option.value, text: option.text, personas: option.dataset.personas || "fm",
              regimenes: option.dataset.regimenes ? " " + option.dataset.regimenes + " " : ""
            };
          })
        };
      });
    }
    function persona() {
      var length = rfc.value.normalize("NFC").replace(/[\s-]/g, "").length;
      return length === 13 ? "f" : length === 12 ? "m" : "";
    }
    // iOS shows options that are hidden by style: they have to leave the list.
    function fill(select, groups, keepGroup, keepOption, lost) {
      var before = select.value, kept = false, first = select.options[0];
      select.replaceChildren(first);
      groups.forEach(function (group) {
        var options = keepGroup(group) ? group.options.filter(keepOption) : [];
        if (!options.length) { return; }
        var made = document.createElement("optgroup");
        made.label = group.label;
        options.forEach(function (option) {
          var node = new Option(option.text, option.value);
          if (option.value === before && before && !kept) { node.selected = kept = true; }
          made.append(node);
        });
        select.append(made);
      });
      byId(select.id + "-nota").textContent = before && !kept ? lost : "";
      return before && !kept;
    }
    function fillUsos() {
      var letter = persona(), key = regimen.value;
      fill(uso, usos, function () { return true; }, function (option) {
        return (!letter || option.personas.indexOf(letter) >= 0) && (!key || option.regimenes.indexOf(" " + key + " ") >= 0);
      }, form.dataset.cambioUso);
    }
    function update() {
      var letter = persona();
      byId("rfc-nota").textContent = letter === "f" ? form.dataset.fisica : letter === "m" ? form.dataset.moral : "";
      if (letter === shownFor) { return; }
      shownFor = letter;
      fill(regimen, regimenes, function (group) { return !letter || group.personas === letter; }, function () { return true; }, form.dataset.cambioRegimen);
      fillUsos();
    }
    rfc.addEventListener("input", update);
    rfc.addEventListener("change", function () {
      if (rfc.value.trim() && !persona()) { showError(rfc, form.dataset.largo); }
    });
    regimen.addEventListener("change", function () { byId("regimen-nota").textContent = ""; fillUsos(); });
    uso.addEventListener("change", function () { byId("uso-nota").textContent = ""; });
    form.addEventListener("input", function (event) { clearError(event.target); });
    update();

    var test = byId("prueba");
    if (test) {
      test.addEventListener("click", function (event) {
        event.preventDefault();
        ["rfc", "nombre", "cp", "correo"].forEach(function (name) { byId(name).value = test.dataset[name]; clearError(byId(name)); });
        update();
        regimen.value = test.dataset.regimen;
        clearError(regimen);
        fillUsos();
        uso.value = test.dataset.uso;
        clearError(uso);
        form.querySelector(".primary").focus();
      });
    }
  }

  // --- waiting: ask often at first, then ever more rarely; not while nobody looks
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
          if (state.estado !== waiting.dataset.estado) { location.replace(location.href.split("#")[0]); return; }
          waiting.textContent = Date.now() - started > 12000 ? waiting.dataset.lento || "" : "";
          again();
        })
        .catch(function () { asking = false; waiting.textContent = waiting.dataset.sinRed; again(); });
    }
    document.addEventListener("visibilitychange", function () { if (!document.hidden) { pause = 350; again(); } });
    again();
  }
})();
