// A list: its address says only what is asked for; picking a page at once; forms beside it follow the search; way back.
(() => {
  const follow = () => {
    if (!document.getElementById("list")) return;
    const query = document.querySelector("#list [data-query]")?.dataset.query ?? "";
    document.querySelectorAll("[data-follows-list] [name=query]").forEach((field) => (field.value = query));
    sessionStorage.setItem(location.pathname, location.search);
  };
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches(".list-tools, .list-search")) return;
    [...event.formData].forEach(([name, value]) => value === "" && event.formData.delete(name));
    if (![...event.formData].length) event.formData.set("view", "all");
  });
  document.body.addEventListener("htmx:afterSettle", follow);
  follow();

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-picking]");
    if (!form) return;
    const boxes = [...form.querySelectorAll("[name=pick]")];
    if (event.target.matches("[data-pick-all]")) boxes.forEach((box) => (box.checked = event.target.checked));
    const picked = boxes.filter((box) => box.checked).length;
    form.querySelector("[data-picked]").textContent = form.elements.scope.checked ? "All picked:" : `${picked} picked`;
  });

  document.querySelectorAll("[data-back-to-list]").forEach((link) => {
    link.search = sessionStorage.getItem(link.pathname) || "";
  });
})();
