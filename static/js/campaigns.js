// The campaign editor: the preview follows what is typed.
(() => {
  const form = document.querySelector("[data-campaign-form]");
  const button = form?.querySelector("[data-preview-button]");
  if (!button) return;
  const watched = ["subject", "preheader", "body", "survey", "preview_as"];
  let waiting = 0;
  const show = () => {
    // The frame takes the answer; the editor keeps the focus and what was typed.
    if (form.requestSubmit) form.requestSubmit(button);
  };
  const soon = (event) => {
    if (!watched.includes(event.target.name)) return;
    clearTimeout(waiting);
    waiting = setTimeout(show, 500);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  show();
})();
