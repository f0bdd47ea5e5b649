/* Small drawings in SVG: boxes by site, remaining life, replacements, factors. */
import {days, number, t} from './i18n.js';
import {html} from './html.js';

const scale = (from, to, a, b) => (v) => a + (b - a) * (to === from ? 0.5 : (v - from) / (to - from));

/* Round numbers that span from..to. */
export function ticks(from, to, about = 5) {
	const raw = (to - from) / about || 1, power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
	const first = Math.ceil(from / step) * step;
	return Array.from({length: Math.floor((to - first) / step + 1e-9) + 1}, (_, i) => first + i * step);
}

const LEFT = 92, WIDTH = 640, ROW = 26;

/* items: [{site, n, min, q1, median, q3, max, outliers: [{value}]}] */
export function Boxes({items, label, digits = 0, unit}) {
	const seen = items.filter((i) => i.median !== null);
	const values = seen.flatMap((i) => [i.min, i.max, ...(i.outliers ?? []).map((o) => o.value)]);
	const from = Math.min(...values), to = Math.max(...values);
	const x = scale(from, to, LEFT, WIDTH - 12), height = seen.length * ROW + 26;
	if (seen.length === 0) return html`<p class="muted">${t('nothing')}</p>`;
	return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label=${label}>
		${ticks(from, to).map((v) => html`<g key=${v}><line class="axis" x1=${x(v)} x2=${x(v)} y1="4" y2=${height - 20} />
			<text x=${x(v)} y=${height - 6} text-anchor="middle">${number(v, digits)}</text></g>`)}
		${seen.map((i, k) => {
			const y = k * ROW + 16;
			return html`<g key=${i.site}><text class="strong" x="0" y=${y + 4}>${i.site}</text>
				<line class="whisker" x1=${x(i.min)} x2=${x(i.max)} y1=${y} y2=${y} />
				<rect class="box" x=${x(i.q1)} width=${Math.max(x(i.q3) - x(i.q1), 1)} y=${y - 8} height="16" />
				<line class="median" x1=${x(i.median)} x2=${x(i.median)} y1=${y - 8} y2=${y + 8} />
				${(i.outliers ?? []).map((o) => html`<circle class="out" cx=${x(o.value)} cy=${y} r="3" />`)}
				<title>${`${i.site}: ${t('median')} ${number(i.median, digits)} ${unit} (${number(i.q1, digits)}–${number(i.q3, digits)}), ${i.n}`}</title></g>`;
		})}</svg>`;
}

/* Replacements by quarter: what is expected, and what it might be at worst. */
export function Quarters({items, label}) {
	const most = Math.max(1, ...items.map((i) => Math.max(i.due, i.due_by_lower ?? 0)));
	const w = WIDTH / Math.max(items.length, 1), y = scale(0, most, 150, 20);
	return html`<svg class="plot" viewBox="0 0 ${WIDTH} 178" role="img" aria-label=${label}>
		<line class="axis" x1="0" x2=${WIDTH} y1="150" y2="150" />
		${items.map((i, k) => html`<g key=${i.quarter}>
			<rect class="column" x=${k * w + w * 0.2} width=${w * 0.6} y=${y(i.due)} height=${150 - y(i.due)} />
			<rect class="column sure" x=${k * w + w * 0.12} width=${w * 0.76} y=${y(i.due_by_lower ?? 0)} height=${150 - y(i.due_by_lower ?? 0)} />
			<text class="strong" x=${k * w + w / 2} y=${y(Math.max(i.due, i.due_by_lower ?? 0)) - 5} text-anchor="middle">${number(i.due)}</text>
			<text x=${k * w + w / 2} y="168" text-anchor="middle">${i.quarter}</text>
			<title>${t('forecast.bar', {quarter: i.quarter, due: number(i.due), worst: number(i.due_by_lower)})}</title></g>`)}</svg>`;
}

/* Remaining life of each source, with its interval. sources: [{name, rul_days, lower_days, upper_days}] */
export function Lives({sources, label}) {
	const most = Math.max(365, ...sources.map((s) => s.upper_days ?? s.rul_days ?? 0));
	const x = scale(0, most, LEFT, WIDTH - 60), height = sources.length * 34 + 22;
	return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label=${label}>
		${ticks(0, most).map((v) => html`<g key=${v}><line class="axis" x1=${x(v)} x2=${x(v)} y1="2" y2=${height - 18} />
			<text x=${x(v)} y=${height - 4} text-anchor="middle">${v === 0 ? '0' : days(v)}</text></g>`)}
		${sources.map((s, k) => {
			const y = k * 34 + 18;
			return html`<g key=${s.name}><text class="strong" x="0" y=${y + 4}>${t(`source.${s.name}`)}</text>
				<rect class="span" x=${x(s.lower_days ?? 0)} width=${Math.max(x(s.upper_days ?? 0) - x(s.lower_days ?? 0), 2)} y=${y - 9} height="18" rx="3" />
				<rect class="mark" x=${x(s.rul_days) - 2} width="4" y=${y - 11} height="22" />
				<text class="strong" x=${Math.min(x(s.rul_days) + 7, WIDTH - 80)} y=${y + 4}>${days(s.rul_days)}</text>
				<title>${`${t(`source.${s.name}`)}: ${days(s.rul_days)} (${days(s.lower_days)} – ${days(s.upper_days)})`}</title></g>`;
		})}</svg>`;
}

/* What lengthens or shortens a life, in per cent. factors: [[name, pct]] */
export function Factors({factors, label}) {
	const most = Math.max(5, ...factors.map(([, pct]) => Math.abs(pct)));
	const x = scale(-most, most, 150, WIDTH - 60);
	return html`<svg class="plot" viewBox="0 0 ${WIDTH} ${factors.length * 24 + 6}" role="img" aria-label=${label}>
		<line class="axis" x1=${x(0)} x2=${x(0)} y1="0" y2=${factors.length * 24} />
		${factors.map(([name, pct], k) => html`<g key=${name}>
			<text class="strong" x="0" y=${k * 24 + 16}>${t(`factor.${name}`)}</text>
			<rect class=${pct < 0 ? 'minus' : 'plus'} x=${Math.min(x(0), x(pct))} width=${Math.max(Math.abs(x(pct) - x(0)), 1)} y=${k * 24 + 4} height="16" />
			<text x=${x(pct) + (pct < 0 ? -5 : 5)} y=${k * 24 + 16} text-anchor=${pct < 0 ? 'end' : 'start'}>${pct > 0 ? '+' : ''}${number(pct)} %</text></g>`)}</svg>`;
}
