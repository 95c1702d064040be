// Runs before the first paint, so that neither theme nor sidebar flickers.
(() => {
  const root = document.documentElement;
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
  root.dataset.sidebar = localStorage.getItem("sidebar") === "closed" ? "closed" : "open";
})();
