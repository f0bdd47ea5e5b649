/* Drills: a scenario on a simulated copy of a site, apart from production. */
import {call, run} from '../api.js';
import {dateTime, known, number, t, words} from '../i18n.js';
import {useLoad} from '../load.js';
import {useStore} from '../store.js';
import {TimeChart} from '../chart.js';
import {drillClock, siteHref, Loaded, messageOf, Panel, Problem, toast} from '../ui.js';
import {html, useEffect, useMemo, useState} from '../html.js';

const SPEEDS = [1, 10, 60, 240, 600, 3600, 10800], PRESET = 60, POLL_MS = 2000;
const DAY_MS = 86400e3, COST_POINTS = 400, COST_HOURS = 3;

/* What is watched decides what 'now' is on the page. */
function watch(simulation) {
	run.set(simulation);
	drillClock.set(simulation ? Date.parse(simulation.clock) : null);
}
run.watch((v) => v === null && drillClock.set(null));

/* What a parameter is for; most scenarios have a value of their own meaning. */
function aboutOf(scenario, p) {
	const key = [`about.${scenario.name}`, `about.${p.name}`][p.name === 'value' ? 0 : 1];
	return known(key) ? t(key) : html`<span lang="en">${p.doc}</span>`;
}

function Parameters({scenario}) {
	return scenario.parameters.map((p) => html`<label key=${p.name}>${words('parameter', p.name)}${p.unit ? `, ${known(`unit.${p.unit}`) ? t(`unit.${p.unit}`) : p.unit}` : ''}
		<input type="number" name=${`p.${p.name}`} step="any" min=${p.min} max=${p.max} defaultValue=${p.preset} />
		<span class="hint">${aboutOf(scenario, p)}</span></label>`);
}

function parametersOf(values) {
	return Object.fromEntries(Object.entries(values).filter(([k, v]) => k.startsWith('p.') && v !== '')
		.map(([k, v]) => [k.slice(2), Number(v)]));
}

function Start({scenarios, sites, onStarted}) {
	const [name, setName] = useState(scenarios[0]?.name), [error, setError] = useState(null), [busy, setBusy] = useState(false);
	const scenario = scenarios.find((s) => s.name === name);
	const submit = async (e) => {
		e.preventDefault();
		if (busy) return;
		const v = Object.fromEntries(new FormData(e.target));
		setBusy(true);
		setError(null);
		try {
			await call('POST', '/simulation/start', {location: v.location, scenario: name, speed: Number(v.speed), parameters: parametersOf(v)});
			toast(t('simulator.started'));
			onStarted();
		} catch (problem) {
			setError(problem);
		}
		setBusy(false);
	};
	return html`<form class="grid" onSubmit=${submit}><div class="tools">
		<label>${t('site')}<select name="location">${sites.map((s) => html`<option key=${s.id} value=${s.id}>${s.id} ${s.name}</option>`)}</select></label>
		<label>${t('simulator.scenario')}<select name="scenario" value=${name} onChange=${(e) => setName(e.target.value)}>${scenarios.map((s) =>
			html`<option key=${s.name} value=${s.name}>${words('scenario', s.name)}</option>`)}</select></label>
		<label>${t('simulator.speed')}<select name="speed" defaultValue=${PRESET}>${SPEEDS.map((x) => html`<option key=${x} value=${x} selected=${x === PRESET}>×${x}</option>`)}</select></label>
		${scenario && html`<${Parameters} scenario=${scenario} />`}</div>
		${error && html`<${Problem} error=${error} />`}
		<div><button class="first" aria-disabled=${busy}>${t('simulator.start')}</button></div></form>`;
}

/*
 * What the drill costs: the life its heat has used up, by the ageing of each hour, and how
 * far the mean remaining life of the site has fallen, as it would be if things stayed so.
 * The mean of all, because a single estimate moves by more than an hour of heat.
 */
function Cost({s}) {
	const from = Date.parse(s.started), to = Date.parse(s.clock);
	const load = useLoad(`/locations/${encodeURIComponent(s.location)}/life`, {run: s.run, start: s.started, limit: COST_POINTS});
	useEffect(load.reload, [s.clock]);
	const items = load.data?.items ?? [], most = Math.max(0, ...items.map((i) => i.batteries));
	const whole = items.filter((i) => i.batteries === most);
	const series = useMemo(() => {
		const points = whole.map((i) => [Date.parse(i.ts), i.rul_mean_days - whole[0].rul_mean_days]);
		const first = points[0]?.[0];
		return [{name: t('simulator.mean_life'), colour: '--accent', points},
			{name: t('simulator.time_alone'), colour: '--muted', dash: [5, 4],
				points: points.map(([ms]) => [ms, (first - ms) / DAY_MS])}];
	}, [load.data]);
	if (whole.length < COST_HOURS) return html`<p class="muted">${t('simulator.no_life')}</p>`;
	const days = whole.map((i) => Date.parse(i.ts) / DAY_MS);
	const passed = days.at(-1) - days[0];
	const used = whole.slice(1).reduce((sum, i, k) => sum + (days[k + 1] - days[k]) * (i.ageing ?? 1), 0);
	return html`<p>${t('simulator.used', {used: number(used, 1), passed: number(passed, 1), ageing: number(whole.at(-1).ageing, 1)})}
			${' '}${t('simulator.fallen', {fallen: number(-series[0].points.at(-1)[1]), least: number(whole.at(-1).rul_least_days, 1)})}</p>
		<${TimeChart} label=${t('simulator.cost')} unit=${t('unit.days')} digits=${0} from=${from} to=${Math.max(to, from + 1)}
			stepMs=${Math.max((to - from) / COST_POINTS, 3600e3)} series=${series} />`;
}

function Running({s, watched, onChange}) {
	const [busy, setBusy] = useState(false);
	const stop = async () => {
		if (busy) return;
		setBusy(true);
		try {
			await call('POST', '/simulation/stop', {id: s.id});
			if (watched) watch(null);
			toast(t('simulator.stopped'));
		} catch (e) {
			toast(messageOf(e), 'critical');
		}
		setBusy(false);
		onChange();
	};
	return html`<li><span class="tag strong">${t(`simulator.${s.state}`)}</span>
		<span><strong>${s.location}</strong> · ${words('scenario', s.scenario)} · ×${s.speed} · ${t('simulator.clock', {time: dateTime(s.clock)})}
			<span class="small muted"> ${s.started_by} ${s.message ?? ''}</span></span>
		<span class="group"><button aria-pressed=${watched} onClick=${() => watch(watched ? null : s)}>${t('simulator.watch')}</button>
			<button class="danger" aria-disabled=${busy} onClick=${stop}>${t('simulator.stop')}</button></span></li>`;
}

export function Simulator() {
	const scenarios = useLoad('/scenarios', {run: undefined}, {fixed: true}), sites = useLoad('/locations', {limit: 1000, run: undefined}, {fixed: true});
	const status = useLoad('/simulation/status', {run: undefined}), of = useStore(run);
	useEffect(() => {
		const timer = setInterval(status.reload, POLL_MS);
		return () => clearInterval(timer);
	}, [status.reload]);
	const mine = (status.data?.items ?? []).find((s) => s.id === of?.id);
	useEffect(() => { if (mine) drillClock.set(Math.max(drillClock.get() ?? 0, Date.parse(mine.clock))); }, [mine?.clock]);
	return html`<div class="title"><h1>${t('page.simulator')}</h1></div>
		<p class="muted">${t('simulator.about')}</p>
		<div class="grid halves"><${Panel} title=${t('simulator.new')}><${Loaded} of=${scenarios}>${(d) => html`<${Loaded} of=${sites}>${(l) =>
			html`<${Start} scenarios=${d.items} sites=${l.items} onStarted=${status.reload} />`}<//>`}<//><//>
		<${Panel} title=${t('simulator.under_way', {n: number(status.data?.items?.length ?? 0)})}><${Loaded} of=${status} empty=${t('simulator.none')}>${(d) =>
			html`<ul class="list sparse">${d.items.map((s) => html`<${Running} key=${s.id} s=${s} watched=${of?.id === s.id} onChange=${status.reload} />`)}</ul>
			${of && html`<p><a href=${siteHref(of.location)}>${t('simulator.see_site')}</a> · <a href="#/alerts?view=incidents">${t('incidents')}</a> · <a href="#/">${t('page.overview')}</a></p>`}`}<//><//></div>
		${(status.data?.items ?? []).filter((s) => s.live).map((s) => html`<${Panel} key=${s.id}
			title=${`${t('simulator.cost')} · ${s.location} · ${words('scenario', s.scenario)}`}><${Cost} s=${s} /><//>`)}`;
}
