// Draws each [data-chart]: a figure over windows, as a line with its 95 % band or as bars. The data is in the page, the
// same numbers are in a table beside it, and the colours are the page's own, in light, dark and print.
(() => {
  const root = document.documentElement;
  const drawn = [];
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  const colour = (name) => {
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    probe.style.color = `var(${name})`;
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  const locale = root.lang || undefined;
  const written = (value, unit) => {
    if (value === null || value === undefined) return "no data";
    const number = value.toLocaleString(locale, { maximumFractionDigits: unit === "customers" ? 0 : 1 });
    return `${number} ${unit}`;
  };
  const short = (value) => value.toLocaleString(locale, { notation: "compact", maximumFractionDigits: 1 });

  const readOut = (data) => (points) => {
    const i = points[0].dataIndex;
    const lines = [data.periods[i], `${data.name}: ${written(data.values[i], data.unit)}`];
    if (data.low[i] !== null) lines.push(`95 %: ${written(data.low[i], data.unit)} to ${written(data.high[i], data.unit)}`);
    return lines.join("\n");
  };

  // The band is two stacked areas: an unseen one up to the low end, and the height of the interval on it.
  const band = (data, accent) =>
    data.bars
      ? []
      : [
          { values: data.low, seen: 0 },
          { values: data.high.map((high, i) => (high === null ? null : high - data.low[i])), seen: 0.16 },
        ].map(({ values, seen }) => ({
          type: "line",
          stack: "band",
          stackStrategy: "all",
          data: values,
          symbol: "none",
          silent: true,
          lineStyle: { opacity: 0 },
          areaStyle: { color: accent, opacity: seen },
        }));

  const options = (data) => {
    const [ink, line, accent, surface] = ["--ink-soft", "--line", "--brand-text", "--surface"].map(colour);
    const text = { color: ink, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
    const figure = {
      type: data.bars ? "bar" : "line",
      data: data.values,
      barMaxWidth: 40,
      symbolSize: 7,
      itemStyle: { color: accent },
      lineStyle: { color: accent, width: 2 },
    };
    return {
      animation: !still,
      textStyle: text,
      grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        formatter: readOut(data),
        backgroundColor: surface,
        borderColor: line,
        textStyle: { ...text, color: colour("--ink") },
      },
      xAxis: {
        type: "category",
        data: data.labels,
        axisLabel: { ...text, hideOverlap: true },
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        scale: !data.bars,
        axisLabel: { ...text, formatter: short },
        splitLine: { lineStyle: { color: line } },
      },
      series: [...band(data, accent), figure],
    };
  };

  const draw = (box) => {
    const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    const chart = echarts.init(box, null, { renderer: "canvas" });
    const show = () => chart.setOption(options(data), true);
    show();
    drawn.push(show);
    new ResizeObserver(() => chart.resize()).observe(box);
  };

  document.querySelectorAll("[data-chart]").forEach(draw);
  const again = () => drawn.forEach((show) => show());
  root.addEventListener("theme", again);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  window.matchMedia("print").addEventListener("change", again);
})();
