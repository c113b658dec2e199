"use strict";
// Buttons that copy: a text of the page (`data-copy`: its id) or the page's address (`data-copy-page`).
// They are hidden until here: without a script, or where copying is closed to us, there are none.
(function () {
  if (!navigator.clipboard || !window.isSecureContext) { return; }
  document.querySelectorAll("[data-copy], [data-copy-page]").forEach(function (button) {
    var words = Array.from(button.childNodes), told = document.createElement("span"), back = 0;
    told.className = "visually-hidden";
    told.setAttribute("role", "status");
    button.after(told);
    button.hidden = false;
    button.addEventListener("click", function () {
      var source = button.dataset.copy && document.getElementById(button.dataset.copy);
      var text = source ? source.textContent : location.origin + location.pathname;
      navigator.clipboard.writeText(text).then(function () {
        button.textContent = told.textContent = button.dataset.copied;
        clearTimeout(back);
        back = setTimeout(function () { button.replaceChildren.apply(button, words); told.textContent = ""; }, 2500);
      }, function () { button.hidden = true; });
    });
  });
})();
