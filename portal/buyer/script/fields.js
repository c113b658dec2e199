"use strict";
// The RFC decides the régimen, the régimen decides the uso.
(function () {
  var byId = pagina.byId, form = document.querySelector("#factura, #solicitud");
  var rfc = byId("rfc"), regimen = byId("regimen"), uso = byId("uso");
  if (!form || !rfc) { return; }
  var words = form.dataset, regimenes = readGroups(regimen), usos = readGroups(uso), shownFor = null;

  function readGroups(select) {
    return Array.from(select.querySelectorAll("optgroup"), function (group) {
      return {
        label: group.label, personas: group.dataset.personas || "fm",
        options: Array.from(group.children, function (option) {
          return {
            value: option.value, text: option.text, personas: option.dataset.personas || "fm",
            regimenes: option.dataset.regimenes ? " " + option.dataset.regimenes + " " : ""
          };
        })
      };
    });
  }

  // --- the RFC as it is registered: the hub does the same again, and more
  function tidy(text) {
    var joined = text.normalize("NFKC").toUpperCase().normalize("NFC").replace(/[^A-Z0-9&Ñ]/g, "");
    return joined.length > 13 && joined.startsWith("RFC") ? joined.slice(3) : joined;
  }
  // O for 0 and I or L for 1, where the place decides.
  function shaped(text) {
    var at = text.length - 9;
    return text.replace(/./g, function (letter, place) {
      if (place < at) { return { 0: "O", 1: "I" }[letter] || letter; }
      if (place < at + 6 || place === text.length - 1) { return { O: "0", Q: "0", I: "1", L: "1" }[letter] || letter; }
      return letter;
    });
  }
  var FORM = /^[A-ZÑ&]{3,4}\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])[A-Z0-9]{2}[0-9A]$/;
  var GENERIC = /^X[AE]XX010101000$/;
  // The sum of the others, as in cfdi/rfc.py; never more than a hint.
  function digitMatches(text) {
    var values = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ", padded = text.padStart(13), total = 0;
    for (var place = 0; place < 12; place += 1) { total += values.indexOf(padded[place]) * (13 - place); }
    var digit = (11 - total % 11) % 11;
    return padded[12] === (digit === 10 ? "A" : String(digit));
  }
  function persona() {
    return { 13: "f", 12: "m" }[tidy(rfc.value).length] || "";
  }
  function hint() {
    var text = shaped(tidy(rfc.value)), letter = persona();
    if (GENERIC.test(text)) { return ""; }
    var who = letter === "f" ? words.fisica : letter === "m" ? words.moral : "";
    return who && FORM.test(text) && !digitMatches(text) && !byId("rfc-error") ? who + ". " + words.digito : who;
  }
  function wrong() {
    var text = shaped(tidy(rfc.value));
    if (GENERIC.test(text)) { return words.generico; }
    // Longer is left to the hub: an RFC may stand among other words.
    return !text || text.length > 13 || FORM.test(text) ? "" : persona() ? words.forma : words.largo;
  }

  // iOS shows options that are hidden by style: they have to leave the list.
  function fill(select, groups, keepGroup, keepOption, lost) {
    var before = select.value, kept = false, count = 0, last = null;
    select.replaceChildren(select.options[0]);
    groups.forEach(function (group) {
      var options = keepGroup(group) ? group.options.filter(keepOption) : [];
      if (!options.length) { return; }
      var made = document.createElement("optgroup");
      made.label = group.label;
      options.forEach(function (option) {
        var node = new Option(option.text, option.value);
        if (option.value === before && before && !kept) { node.selected = kept = true; }
        made.append(node);
        count += 1;
        last = node;
      });
      select.append(made);
    });
    if (count === 1) { last.selected = true; }
    byId(select.id + "-nota").textContent = before && !kept && count !== 1 ? lost : "";
  }
  function fillUsos() {
    var letter = persona(), key = regimen.value;
    fill(uso, usos, function () { return true; }, function (option) {
      return (!letter || option.personas.includes(letter)) && (!key || option.regimenes.includes(" " + key + " "));
    }, words.cambioUso);
  }
  function update() {
    var letter = persona(), told = hint();
    if (byId("rfc-nota").textContent !== told) { byId("rfc-nota").textContent = told; }
    if (letter === shownFor) { return; }
    shownFor = letter;
    fill(regimen, regimenes, function (group) { return !letter || group.personas.includes(letter); }, function () { return true; }, words.cambioRegimen);
    fillUsos();
  }
  // Several at once, as from the constancia or from what this browser keeps.
  pagina.fill = function (data) {
    ["rfc", "nombre", "cp", "correo"].forEach(function (name) {
      if (data[name] !== undefined) { byId(name).value = data[name]; pagina.clearError(byId(name)); }
    });
    update();
    [[regimen, fillUsos], [uso, function () {}]].forEach(function (pair) {
      var select = pair[0], value = data[select.id];
      if (value === undefined) { return; }
      select.value = value;
      if (select.selectedIndex < 0) { select.value = ""; }
      pagina.clearError(select);
      pair[1]();
    });
  };
  rfc.addEventListener("input", update);
  rfc.addEventListener("change", function () {
    var text = wrong();
    if (text) { pagina.showError(rfc, text); }
  });
  regimen.addEventListener("change", function () { byId("regimen-nota").textContent = ""; fillUsos(); });
  uso.addEventListener("change", function () { byId("uso-nota").textContent = ""; });
  form.addEventListener("input", function (event) { pagina.clearError(event.target); });
  update();

  // --- what is offered is taken in place
  document.querySelectorAll("[form='sugerencias']").forEach(function (offer) {
    offer.addEventListener("click", function (event) {
      event.preventDefault();
      var name = offer.name.replace("usar_", ""), data = {};
      data[name] = offer.value;
      pagina.fill(data);
      offer.closest(".offers").remove();
      byId(name).focus();
      form.dispatchEvent(new Event("change"));
    });
  });
  var test = byId("prueba");
  if (test) {
    test.addEventListener("click", function (event) {
      event.preventDefault();
      pagina.fill(test.dataset);
      form.querySelector(".primary").focus();
    });
  }

  // --- a photo of megabytes becomes one that a QR is still read from; then it is sent at once
  var paper = byId("constancia"), read = byId("leer"), LARGEST = 450 * 1024;
  if (paper && form.requestSubmit) {
    read.hidden = true;
    paper.addEventListener("change", function () {
      pagina.clearError(paper);
      if (!paper.files[0]) { return; }
      smaller(paper.files[0]).then(function (file) {
        if (file.size > LARGEST) { pagina.showError(paper, paper.dataset.grande); return; }
        if (file !== paper.files[0]) {
          var list = new DataTransfer();
          list.items.add(file);
          paper.files = list.files;
        }
        form.requestSubmit(read);
      });
    });
  }
  // Step by step: what a QR is read from depends on the photo.
  function smaller(file) {
    if (!file.type.startsWith("image/") || file.size <= LARGEST || !window.createImageBitmap) { return Promise.resolve(file); }
    return createImageBitmap(file).then(function (picture) {
      return [[1600, 0.8], [1280, 0.7], [960, 0.6]].reduce(function (before, step) {
        return before.then(function (small) { return small.size > LARGEST ? drawn(picture, step[0], step[1]) : small; });
      }, Promise.resolve(file));
    }).catch(function () { return file; });
  }
  function drawn(picture, side, quality) {
    var scale = Math.min(1, side / Math.max(picture.width, picture.height)), canvas = document.createElement("canvas");
    canvas.width = picture.width * scale;
    canvas.height = picture.height * scale;
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return new Promise(function (done, no) {
      canvas.toBlob(function (blob) { blob ? done(new File([blob], "foto.jpg", { type: "image/jpeg" })) : no(); }, "image/jpeg", quality);
    });
  }
})();
