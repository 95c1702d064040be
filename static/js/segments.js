// The rule builder: what somebody types while an answer is on its way is carried over into the rows that it brings.
(() => {
  let typed = [];
  const kept = (control) => (control.type === "checkbox" ? control.checked : control.value);
  const sent = (control, data) =>
    control.type === "checkbox" ? data.getAll(control.name).includes(control.value) : data.get(control.name) ?? "";
  const isBuilder = (event) => event.detail.target.id === "builder";

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isBuilder(event)) return;
    const data = event.detail.requestConfig.formData;
    typed = [...event.detail.target.querySelectorAll("input:not([type=hidden]), select")]
      .filter((control) => kept(control) !== sent(control, data))
      .map((control) => ({ id: control.id, state: kept(control) }));
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (!isBuilder(event)) return;
    const late = typed;
    typed = [];
    late.forEach(({ id, state }) => {
      const control = document.getElementById(id);
      if (!control) return;
      if (control.type === "checkbox") control.checked = state;
      else control.value = state;
      control.dispatchEvent(new Event("input", { bubbles: true }));
      if (control.matches("select")) control.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
})();
