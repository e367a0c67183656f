/** The style sheet of a report. Colours are those of Okabe and Ito, told apart by people who do not see all of them; lines differ by their dashes too. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --gutter: 100px;
  --paper: light-dark(#ffffff, #14171c);
  --raised: light-dark(#f6f7f9, #1c2027);
  --ink: light-dark(#1b1f24, #e8eaed);
  --soft: light-dark(#59636e, #a3adb8);
  --hair: light-dark(#e3e6ea, #2d333b);
  --calm: light-dark(#dde2e8, #343b45);
  --blue: light-dark(#0072b2, #4ba3dc);
  --sky: light-dark(#3fa0da, #8fcdf5);
  --green: light-dark(#009e73, #2fc299);
  --yellow: light-dark(#d8a800, #f0c94a);
  --orange: light-dark(#d97700, #f2a93b);
  --red: light-dark(#c8401a, #ff7a4d);
  --purple: light-dark(#a8527f, #df97bd);
  --grey: light-dark(#8b949e, #7d8793);
  --good: light-dark(#00734f, #3ecfa4);
  --bad: light-dark(#b3370f, #ff8a61);
  --good-paper: light-dark(#e8f6f1, #14302a);
  --bad-paper: light-dark(#fcefe9, #3a2119);
  --warn-paper: light-dark(#fdf6e0, #352d16);
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 48px 32px 96px; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums;
}
h1, h2, p, ul, dl, figure, table { margin: 0; padding: 0; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 18px; line-height: 1.3; font-weight: 620; letter-spacing: -0.005em; }
section, figure { margin-top: 56px; }
section > h2 { margin-bottom: 12px; }
code, .mono { font-family: ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; font-size: 0.9em; }
.soft { color: var(--soft); }
header .bar { display: flex; justify-content: space-between; align-items: start; gap: 16px; margin-bottom: 10px; color: var(--soft); }
header .bar p { overflow-wrap: anywhere; }
button, .button {
  font: inherit; font-size: 13px; color: var(--soft); background: none; border: 1px solid var(--hair); border-radius: 6px;
  padding: 3px 10px; cursor: pointer; white-space: nowrap;
}
button:hover { color: var(--ink); border-color: var(--grey); }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.headline { display: flex; gap: 14px; align-items: start; margin-top: 24px; padding: 16px 20px; border-radius: 10px; background: var(--raised); }
.headline.good { background: var(--good-paper); }
.headline.bad { background: var(--bad-paper); }
.headline.warn { background: var(--warn-paper); }
.headline svg { flex: none; width: 26px; height: 26px; }
.headline strong { display: block; font-size: 19px; line-height: 1.35; font-weight: 640; }
.good strong, .good svg { color: var(--good); } .bad strong, .bad svg { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(152px, 1fr)); gap: 24px 28px; margin-top: 32px; }
.figures dt { font-size: 13px; color: var(--soft); }
.figures dd { margin: 0; font-size: 25px; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; }
.figures dd small { display: block; font-size: 13px; line-height: 1.4; font-weight: 400; letter-spacing: 0; color: var(--soft); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 9px 20px 9px 0; border-bottom: 1px solid var(--hair); font-weight: 400; overflow-wrap: anywhere; }
thead th { font-size: 13px; color: var(--soft); padding-top: 0; }
td:last-child, th:last-child { padding-right: 0; }
.verdicts td:first-child { width: 76px; white-space: nowrap; font-weight: 600; }
.verdicts .mono { width: 34%; }
.verdicts .advice { display: block; margin-top: 4px; color: var(--soft); max-width: 68ch; }
.verdicts .advice b { font-weight: 600; color: var(--ink); }
.is-good { color: var(--good); } .is-bad { color: var(--bad); }
.number { text-align: right; white-space: nowrap; }
.wide { overflow-x: auto; margin: 16px 0 12px; } #comparison .headline { margin: 16px 0; } .comparison td:last-child { width: 96px; white-space: nowrap; } .comparison th { overflow-wrap: normal; }
.plot figcaption p { color: var(--soft); font-size: 14px; max-width: 88ch; text-wrap: pretty; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 10px 0 14px; font-size: 13px; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend .break { flex-basis: 100%; height: 0; }
.legend output { min-width: 2ch; font-weight: 600; }
.sample { width: 28px; height: 12px; flex: none; }
.box { display: grid; grid-template-columns: var(--gutter) minmax(0, 1fr); position: relative; outline-offset: 6px; }
.gutter { position: relative; font-size: 12px; color: var(--soft); }
.gutter span { position: absolute; right: 10px; transform: translateY(50%); white-space: nowrap; line-height: 1; }
.area { position: relative; height: 200px; cursor: crosshair; touch-action: pan-y; }
.area > svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.grid { position: absolute; left: 0; right: 0; border-top: 1px solid var(--hair); }
.rule-name { position: absolute; right: 0; padding: 0 4px 1px; font-size: 12px; line-height: 1.2; color: var(--soft); pointer-events: none; text-shadow: 0 0 3px var(--paper), 0 0 3px var(--paper), 0 0 3px var(--paper); }
.times { position: relative; height: 20px; margin: 6px 0 0 var(--gutter); font-size: 12px; color: var(--soft); }
.times span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.cursor { position: absolute; top: 0; bottom: 0; width: 0; border-left: 1px solid var(--ink); pointer-events: none; display: none; }
.cursor b { position: absolute; top: calc(100% + 5px); transform: translateX(-50%); padding: 0 6px; border-radius: 4px; background: var(--ink); color: var(--paper); font-size: 12px; font-weight: 500; line-height: 18px; white-space: nowrap; }
.reading .cursor { display: block; }
.line { fill: none; stroke: var(--c); stroke-width: 1.75px; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.thick { stroke-width: 2.5px; } .thin { stroke-width: 1px; }
.dashed { stroke-dasharray: 7 4; }
.dotted { stroke-dasharray: 1.5 3.5; stroke-linecap: round; stroke-width: 2px; }
.rug { stroke-width: 1.5px; }
.behind { stroke: var(--grey); stroke-width: 1px; opacity: 0.5; }
.area-fill { fill: var(--c); opacity: 0.2; stroke: none; }
.area-fill.stacked { opacity: 0.75; } .area-fill.strong { opacity: 0.6; } .line.stacked { stroke-width: 1px; stroke: var(--paper); }
.span { fill: var(--c); opacity: 0.9; }
.blue { --c: var(--blue); } .sky { --c: var(--sky); } .green { --c: var(--green); } .yellow { --c: var(--yellow); } .orange { --c: var(--orange); }
.red { --c: var(--red); } .purple { --c: var(--purple); } .grey { --c: var(--grey); } .ink { --c: var(--ink); } .calm { --c: var(--calm); }
.lanes .area { height: calc(var(--lanes) * 26px); border-top: 1px solid var(--hair); border-bottom: 1px solid var(--hair); }
.many .area { height: calc(var(--lanes) * 8px); } .many .lane-names { visibility: hidden; }
.lane-names span { max-width: calc(var(--gutter) - 10px); overflow: hidden; text-overflow: ellipsis; line-height: 1.3; }
/* Words that do not fit beside a strut of no width go to a second line, which is cut off. */
.span-text { position: absolute; display: flex; flex-wrap: wrap; align-content: flex-start; padding: 0 6px; font-size: 11px; line-height: 26px; white-space: nowrap; overflow: hidden; pointer-events: none; color: #14171c; }
.span-text::before { content: ''; width: 0; height: 100%; }
.span-text.calm { color: var(--ink); } .span-text.blue, .span-text.red, .span-text.purple, .span-text.grey { color: light-dark(#ffffff, #14171c); }
details { margin-top: 4px; } .plot details { margin-left: var(--gutter); }
summary { font-size: 13px; color: var(--soft); cursor: pointer; width: fit-content; }
.scroll { max-height: 320px; overflow: auto; font-size: 13px; margin-top: 8px; }
.scroll th, .scroll td { padding: 4px 16px 4px 0; white-space: nowrap; }
.scroll table + table { margin-top: 24px; } .scroll table + table td { white-space: normal; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 0 56px; }
.facts { display: grid; grid-template-columns: fit-content(40%) 1fr; }
.facts dt, .facts dd { margin: 0; padding: 6px 20px 6px 0; border-bottom: 1px solid var(--hair); overflow-wrap: anywhere; } .facts dt { color: var(--soft); }
.plain { padding-left: 18px; } .plain li { margin: 4px 0; max-width: 68ch; }
.note { padding: 12px 20px; border-radius: 10px; background: var(--raised); margin-bottom: 16px; }
footer { margin-top: 72px; display: flex; flex-wrap: wrap; gap: 10px; align-items: center; color: var(--soft); font-size: 13px; }
@media (max-width: 640px) {
  body { padding: 24px 16px 64px; } h1 { font-size: 24px; } section, figure { margin-top: 44px; }
  .figures { grid-template-columns: repeat(2, 1fr); gap: 18px 20px; } .figures dd { font-size: 21px; }
  :root { --gutter: 64px; } .gutter span { right: 6px; font-size: 11px; } .area { height: 168px; }
  .times span:nth-child(even) { display: none; } .times .end { transform: translateX(-100%); }
  .comparison { font-size: 13px; } .comparison th, .comparison td { padding-right: 12px; } .comparison td:last-child { width: auto; }
  .verdicts thead { display: none; } .verdicts tr { display: block; padding: 10px 0; border-bottom: 1px solid var(--hair); } .verdicts td { display: block; width: auto !important; border: 0; padding: 1px 0; }
}
@media print {
  :root { color-scheme: light !important; } body { max-width: none; padding: 0; font-size: 12px; }
  button, footer, .plot details, .cursor { display: none !important; }
  .times .end { transform: translateX(-100%); }
  figure, tr, .headline { break-inside: avoid; } section, figure { margin-top: 28px; }
  .headline, .note { border: 1px solid var(--hair); } svg { print-color-adjust: exact; }
}
`;
