// The list of customers: picking a page at once; forms beside the list follow what the search made of it; way back.
(() => {
  const follow = () => {
    const query = document.querySelector("#list [data-query]")?.dataset.query ?? "";
    document.querySelectorAll("[data-follows-list] [name=query]").forEach((field) => (field.value = query));
    sessionStorage.setItem("customers", location.search);
  };
  document.body.addEventListener("htmx:afterSettle", follow);
  if (document.getElementById("list")) follow();

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-pick-all]")) return;
    event.target.closest("form").querySelectorAll("[name=pick]").forEach((box) => (box.checked = event.target.checked));
  });

  document.querySelectorAll("[data-back-to-list]").forEach((link) => {
    link.search = sessionStorage.getItem("customers") || "";
  });
})();
