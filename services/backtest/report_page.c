/* report_page: what stands around the body of a page: its style and its script, both within it, so
 * that it opens anywhere, without a network, in light or dark. Without the script everything but
 * the values under a pointer and the sorting of tables is there. */
#include <inttypes.h>

#include "backtest/report_parts.h"

static const char style[] =
    ":root{--paper:#fcfcfb;--card:#fff;--ink:#1d2329;--soft:#6a737d;--rule:#e4e6e8;"
    "--accent:#0a6c8f;--wash:rgba(10,108,143,.13)}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1a1e22;--ink:#e3e6e9;"
    "--soft:#929ba4;--rule:#2d3238;--accent:#4fb6d9;--wash:rgba(79,182,217,.17)}}\n"
    "*{box-sizing:border-box}\n"
    "html{color-scheme:light dark;-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",sans-serif}\n"
    "main{max-width:1060px;margin:0 auto;padding:40px 24px 64px}\n"
    "h1{font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em;margin:0 0 4px;"
    "overflow-wrap:anywhere}\n"
    "h1 small{display:block;font-size:15px;font-weight:400;letter-spacing:0;color:var(--soft);"
    "margin-top:6px}\n"
    "h2{font-size:13px;font-weight:650;letter-spacing:.06em;text-transform:uppercase;"
    "color:var(--soft);margin:40px 0 12px}\n"
    "section+section{margin-top:72px;border-top:1px solid var(--rule);padding-top:40px}\n"
    ".tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:1px;"
    "background:var(--rule);border:1px solid var(--rule);border-radius:6px;overflow:hidden;"
    "margin:24px 0 0}\n"
    ".tiles div{background:var(--card);padding:14px 16px}\n"
    ".tiles dt{font-size:12px;color:var(--soft)}\n"
    ".tiles dd{margin:2px 0 0;font-size:18px;font-weight:600;font-variant-numeric:tabular-nums;"
    "letter-spacing:-.01em;overflow-wrap:anywhere}\n"
    ".tiles .first dd{color:var(--accent)}\n"
    ".plot{margin:28px 0 0}\n"
    "figcaption{display:flex;flex-wrap:wrap;gap:2px 18px;align-items:baseline;font-size:13px;"
    "color:var(--soft);min-height:22px;margin-bottom:4px}\n"
    "figcaption b{color:var(--ink);font-size:15px;font-weight:600}\n"
    "figcaption time{margin-left:auto;font-variant-numeric:tabular-nums}\n"
    ".key{white-space:nowrap}\n"
    ".key i{display:inline-block;width:16px;height:0;border-top:2px solid var(--soft);"
    "vertical-align:middle;margin-right:6px}\n"
    ".key.accent i,.key.area i{border-color:var(--accent)}\n"
    ".key.dashed i{border-top-style:dashed}\n"
    ".key svg{display:inline-block;width:10px;height:9px;margin-right:5px;overflow:visible}\n"
    ".key output{color:var(--ink);font-variant-numeric:tabular-nums;font-weight:600}\n"
    ".plot>svg{display:block;width:100%;height:auto;touch-action:pan-y;overflow:visible}\n"
    ".plot .none{color:var(--soft);border:1px dashed var(--rule);border-radius:6px;"
    "padding:28px;text-align:center;margin:4px 0 0}\n"
    ".axis text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}\n"
    ".axis path{stroke:var(--rule);fill:none}\n"
    ".axis .zero{stroke:var(--soft);stroke-opacity:.6}\n"
    ".curve{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-linejoin:round;"
    "vector-effect:non-scaling-stroke}\n"
    ".curve.accent{stroke:var(--accent);stroke-width:1.6}\n"
    ".curve.dashed{stroke-dasharray:5 4}\n"
    ".curve.area{stroke:var(--accent);fill:var(--wash)}\n"
    ".dots{fill:var(--soft)}.dots.accent{fill:var(--accent)}\n"
    ".mark{stroke-width:1;stroke-linejoin:round}\n"
    ".mark.buy{fill:var(--accent);stroke:var(--accent)}\n"
    ".mark.sell{fill:var(--ink);stroke:var(--ink)}\n"
    ".mark.taker{fill:var(--paper)}\n"
    ".cursor{stroke:var(--ink);stroke-opacity:.45;visibility:hidden}\n"
    ".wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-size:14px}\n"
    "th,td{text-align:left;padding:7px 16px 7px 0;border-bottom:1px solid var(--rule);"
    "vertical-align:baseline}\n"
    "thead th{font-size:12px;font-weight:600;color:var(--soft);white-space:nowrap}\n"
    "th[scope=row]{font-weight:400;white-space:nowrap}\n"
    "tr.group th{font-weight:600;padding-top:22px;color:var(--accent)}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "thead th.n{text-align:right}\n"
    "td.n{font-weight:600}\n"
    ".sorts td.n{font-weight:400}\n"
    ".what{color:var(--soft)}\n"
    ".failed{color:var(--soft);font-style:italic}\n"
    "th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}\n"
    "th button:hover,th[aria-sort] button{color:var(--accent)}\n"
    "th[aria-sort=ascending] button:after{content:\" \\2191\"}\n"
    "th[aria-sort=descending] button:after{content:\" \\2193\"}\n"
    ".facts{display:grid;grid-template-columns:max-content 1fr;gap:6px 24px;margin:0;"
    "font-size:14px}\n"
    ".facts dt{color:var(--soft)}\n"
    ".facts dd{margin:0;overflow-wrap:anywhere}\n"
    ".small{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:8px 40px}\n"
    ".small .axis text{font-size:21px}\n"
    ".small circle{r:5px}.small figcaption{min-height:44px;align-content:start}\n"
    "@media(max-width:600px){main{padding:24px 16px 48px}.axis text{font-size:20px}"
    ".small{grid-template-columns:1fr}.tiles{grid-template-columns:1fr 1fr}}\n"
    "@media print{body{background:#fff}.plot,.tiles{break-inside:avoid}}\n";

/* Pointing at one plot of time shows that moment in all plots of its section. */
static const char script[] =
    "'use strict';\n"
    "for (const section of document.querySelectorAll('section')) {\n"
    "  const plots = [];\n"
    "  for (const figure of section.querySelectorAll('figure')) {\n"
    "    const svg = figure.querySelector(':scope > svg');\n"
    "    if (svg) plots.push({figure, svg, d: JSON.parse(figure.querySelector('script').text)});\n"
    "  }\n"
    "  const nearest = (xs, x, before) => {\n"
    "    let a = 0, b = xs.length;\n"
    "    while (a < b) { const m = (a + b) >> 1; if (xs[m] <= x) a = m + 1; else b = m; }\n"
    "    if (!before && a < xs.length && (a === 0 || xs[a] - x < x - xs[a - 1])) return a;\n"
    "    return a - 1;\n"
    "  };\n"
    "  const show = x => {\n"
    "    for (const {figure, svg, d} of plots) {\n"
    "      const cursor = svg.querySelector('.cursor'), outputs = "
    "figure.querySelectorAll('output');\n"
    "      const inside = x !== null && x >= d.low && x <= d.high;\n"
    "      let told = x;\n"
    "      d.curves.forEach((c, i) => {\n"
    "        const at = inside ? nearest(c.x, x, d.time) : -1;\n"
    "        const y = at < 0 ? null : c.y[at];\n"
    "        if (!d.time && at >= 0) told = c.x[at];\n"
    "        outputs[i].textContent = y === null ? '' : d.time ? y.toFixed(c.digits) : y;\n"
    "      });\n"
    "      cursor.style.visibility = inside ? 'visible' : 'hidden';\n"
    "      const time = figure.querySelector('time');\n"
    "      if (!inside) { time.textContent = ''; continue; }\n"
    "      const place = d.left + (told - d.low) / (d.high - d.low) * (d.right - d.left);\n"
    "      cursor.setAttribute('transform', `translate(${place})`);\n"
    "      time.textContent = d.time\n"
    "        ? new Date(d.begin + x * 1000).toISOString().slice(11, 23) + ' UTC' : String(told);\n"
    "    }\n"
    "  };\n"
    "  for (const {svg, d} of plots) {\n"
    "    svg.addEventListener('pointermove', e => {\n"
    "      const box = svg.getBoundingClientRect(), at = (e.clientX - box.left) / box.width * "
    "1000;\n"
    "      show(d.low + (at - d.left) / (d.right - d.left) * (d.high - d.low));\n"
    "    });\n"
    "    svg.addEventListener('pointerleave', () => show(null));\n"
    "  }\n"
    "}\n"
    "for (const table of document.querySelectorAll('table.sorts')) {\n"
    "  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];\n"
    "  heads.forEach((head, column) => head.querySelector('button').addEventListener('click', () "
    "=> {\n"
    "    const up = head.getAttribute('aria-sort') === 'descending';\n"
    "    heads.forEach(other => other.removeAttribute('aria-sort'));\n"
    "    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');\n"
    "    const key = row => {\n"
    "      const cell = row.cells[column];\n"
    "      return cell && cell.dataset.v !== undefined ? Number(cell.dataset.v) : null;\n"
    "    };\n"
    "    const rows = [...body.rows].map(row => [key(row), row]);\n"
    "    rows.sort(([a], [b]) => a === null ? (b === null ? 0 : 1) : b === null ? -1\n"
    "      : up ? a - b : b - a);\n"
    "    body.append(...rows.map(([, row]) => row));\n"
    "  }));\n"
    "}\n";

void report_page_begin(FILE *out, const char *title)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          out);
    report_put_html(out, title);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
}

void report_page_end(FILE *out)
{
    fprintf(out, "</main>\n<script>\n%s</script>\n</body>\n</html>\n", script);
}

void report_page_title(FILE *out, const struct result_figures *f, const char *more)
{
    fputs("<h1>", out);
    report_put_html(out, f->spec->type);
    fputs(" on ", out);
    report_put_html(out, f->spec->symbol.name);
    if (f->described[0] != '\0') {
        fputs("<small>", out);
        report_put_html(out, f->described);
        fputs("</small>", out);
    }
    if (more[0] != '\0') {
        fputs("<small>", out);
        report_put_html(out, more);
        fputs("</small>", out);
    }
    fputs("</h1>\n", out);
}

void report_page_fact(FILE *out, const char *label, const char *value)
{
    fputs("<dt>", out);
    report_put_html(out, label);
    fputs("</dt><dd>", out);
    report_put_html(out, value);
    fputs("</dd>\n", out);
}

void report_page_run(FILE *out, const struct report_run *run)
{
    char number[REPORT_TEXT_SIZE];
    fputs("<h2>How it was run</h2>\n<dl class=\"facts\">\n", out);
    report_page_fact(out, "History", run->history);
    report_page_fact(out, "Form", run->form);
    report_page_fact(out, "Mode", run->mode);
    report_page_fact(out, "Latency", run->latency);
    report_page_fact(out, "Seed", run->seed);
    snprintf(number, sizeof number, "%" PRIu64, run->events);
    report_page_fact(out, "Events", number);
    snprintf(number, sizeof number, "%" PRIu64, run->recorded_refused);
    report_page_fact(out, "Recorded commands refused because of us", number);
    report_page_fact(out, "Lots recorded aggressors did not get", run->short_qty);
    fputs("</dl>\n", out);
}
