// Runs before the first paint, so that neither theme nor sidebar flickers.
(() => {
  const root = document.documentElement;
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
  // Where nobody has chosen, a narrow screen keeps its room for the page.
  const narrow = matchMedia("(max-width: 1199.98px)").matches;
  root.dataset.sidebar = localStorage.getItem("sidebar") ?? (narrow ? "closed" : "open");
})();
