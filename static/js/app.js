// What every page does: theme, sidebar, notes, search by keyboard, errors of htmx requests.
(() => {
  const root = document.documentElement;
  const toasts = document.getElementById("toasts");
  const live = document.getElementById("live");

  // Theme: light, dark, or as the system has it.
  const themes = document.querySelectorAll("[data-theme-switch] button");
  const chosen = () => localStorage.getItem("theme") || "auto";
  const showTheme = () => themes.forEach((b) => b.setAttribute("aria-pressed", String(b.value === chosen())));
  themes.forEach((button) =>
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      localStorage.setItem("theme", button.value);
      if (button.value === "auto") delete root.dataset.bsTheme;
      else root.dataset.bsTheme = button.value;
      showTheme();
      root.dispatchEvent(new CustomEvent("theme", { bubbles: true }));
    }),
  );
  showTheme();

  // Sidebar: open or only icons.
  const toggle = document.querySelector("[data-sidebar-toggle]");
  const showSidebar = () => toggle?.setAttribute("aria-pressed", String(root.dataset.sidebar === "closed"));
  toggle?.addEventListener("click", () => {
    root.dataset.sidebar = root.dataset.sidebar === "closed" ? "open" : "closed";
    localStorage.setItem("sidebar", root.dataset.sidebar);
    showSidebar();
  });
  showSidebar();

  // Notes: good news leaves by itself, bad news waits to be read.
  const settle = (note) => {
    note.querySelector("[data-toast-close]").addEventListener("click", () => note.remove());
    if (!note.matches(".note-error, .note-warning")) setTimeout(() => note.remove(), 6000);
  };
  const say = (text, level) => {
    const note = document.createElement("div");
    note.className = `note note-${level}`;
    const words = document.createElement("span");
    words.textContent = text;
    const close = document.createElement("button");
    close.className = "btn-close";
    close.type = "button";
    close.ariaLabel = "Close this note";
    close.dataset.toastClose = "";
    note.append(words, close);
    toasts.append(note);
    settle(note);
  };
  toasts.querySelectorAll("[data-toast]").forEach(settle);
  document.body.addEventListener("notes", (event) =>
    event.detail.value.forEach(({ text, level }) => say(text, level)),
  );

  // Errors of htmx requests.
  const apology = {
    0: "The server can't be reached. Nothing was changed; try again in a moment.",
    403: "You may not do that. Ask an administrator if you should.",
    404: "That is no longer there. Reload the page.",
    429: "That was too often. Wait a moment and try again.",
  };
  const failed = (event) => {
    const status = event.detail.xhr?.status ?? 0;
    say(apology[status] || "That went wrong on our side. Nothing was changed; try again.", "error");
  };
  document.body.addEventListener("htmx:responseError", failed);
  document.body.addEventListener("htmx:sendError", failed);
  document.body.addEventListener("htmx:timeout", failed);

  // What a part that was put in wants said to people who cannot see it.
  document.body.addEventListener("htmx:load", (event) => {
    const part = event.detail.elt;
    if (part === document.body) return;
    const words = (part.matches("[data-say]") ? part : part.querySelector("[data-say]"))?.dataset.say;
    if (words) live.textContent = words;
  });

  // Of tabs that do not fit, the one that is open shows.
  document.querySelectorAll(".tabs").forEach((tabs) => {
    const open = tabs.querySelector("[aria-current]");
    if (open) tabs.scrollLeft = open.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;
  });

  // Search: "/" goes there, arrows walk the finds, Escape leaves.
  const search = document.querySelector("[data-search]");
  const found = document.getElementById("found");
  const typing = (element) => element.matches("input, textarea, select, [contenteditable]");
  const leave = () => {
    found.replaceChildren();
    search.blur();
  };
  const walk = (step) => {
    const links = [...found.querySelectorAll("a")];
    const next = links.indexOf(document.activeElement) + step;
    if (next < 0) search.focus();
    else links[Math.min(next, links.length - 1)]?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (!search || event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = search.form.contains(document.activeElement);
    if (event.key === "/" && !typing(event.target)) search.focus();
    else if (inside && event.key === "ArrowDown") walk(1);
    else if (inside && event.key === "ArrowUp") walk(-1);
    else if (inside && event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (search && !search.form.contains(event.target)) found.replaceChildren();
  });

  // A form that was refused stands at its first mistake; a field that is mended is red no more.
  document.querySelector("main .is-invalid, main [aria-invalid=true]")?.focus();
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches(".is-invalid, [aria-invalid=true]") || !field.closest(".field")) return;
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
    field.closest(".field").querySelectorAll(".field-errors").forEach((errors) => errors.remove());
  });

  // Copies a field's text. Where the browser gives no clipboard (over plain http), the text is picked and copied the old way.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    const copied = await (navigator.clipboard?.writeText(field.value) ?? Promise.reject()).then(
      () => true,
      () => document.execCommand("copy"),
    );
    say(copied ? "Copied." : "It is picked: copy it with Ctrl+C, or ⌘C.", copied ? "success" : "info");
  });

  // Buttons that change something ask first where they say so.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
})();
