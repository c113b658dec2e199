"use strict";
// Reads the QR code of a ticket where the browser can. Nothing of the picture leaves the page.
(function () {
  var byId = function (id) { return document.getElementById(id); };
  var place = byId("camara"), video = byId("camara-video"), note = byId("camara-nota");
  if (!place || !("BarcodeDetector" in window) || !(navigator.mediaDevices || {}).getUserMedia) { return; }
  var stream = null, timer = 0, detector = null;

  window.BarcodeDetector.getSupportedFormats().then(function (formats) {
    if (formats.indexOf("qr_code") < 0) { return; }
    detector = new window.BarcodeDetector({ formats: ["qr_code"] });
    place.hidden = false;
  }, function () {});

  // Our own links, and the code that a ticket of ours has; of anything else, nothing is done.
  function read(text) {
    var bare = /^[2-9A-HJKMNP-Z]{4}[ -]?[2-9A-HJKMNP-Z]{4}$/i;
    if (bare.test(text)) { return fill(text); }
    var url;
    try { url = new URL(text); } catch (_) { return false; }
    if (url.origin !== location.origin) { return false; }
    if (/^\/f\/[A-Za-z0-9._-]+$/.test(url.pathname)) { location.assign(url.pathname); return true; }
    var code = url.searchParams.get("codigo") || "";
    if (!/^\/facturar(\/[A-Za-z0-9-]+)?$/.test(url.pathname) || !bare.test(code)) { return false; }
    if (url.pathname !== location.pathname) { location.assign(url.pathname + "?codigo=" + encodeURIComponent(code)); return true; }
    return fill(code);
  }
  function fill(code) {
    byId("codigo").value = code.toUpperCase();
    note.textContent = place.dataset.found;
    byId("total").focus();
    return true;
  }

  function look() {
    if (!stream) { return; }
    detector.detect(video).then(function (found) {
      if (!stream) { return; }
      var texts = found.map(function (each) { return each.rawValue; });
      if (texts.some(read)) { close(); return; }
      if (texts.length) { note.textContent = place.dataset.foreign; }
      timer = setTimeout(look, 200);
    }, function () { timer = setTimeout(look, 500); });
  }
  function open() {
    note.textContent = "";
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false }).then(function (given) {
      stream = given;
      video.srcObject = given;
      byId("camara-abrir").hidden = true;
      byId("camara-vista").hidden = false;
      return video.play();
    }).then(look, function () { close(); note.textContent = place.dataset.failed; });
  }
  function close() {
    clearTimeout(timer);
    if (stream) { stream.getTracks().forEach(function (track) { track.stop(); }); }
    stream = null;
    video.srcObject = null;
    byId("camara-vista").hidden = true;
    byId("camara-abrir").hidden = false;
  }
  byId("camara-abrir").addEventListener("click", open);
  byId("camara-cerrar").addEventListener("click", close);
  window.addEventListener("pagehide", close);
})();
