/* Every page: the first part of its address, who may see it, and its sign in the
 * sidebar (none: reached from other pages). */
import {Overview} from './overview.js';
import {Site} from './site.js';
import {Battery} from './battery.js';
import {Alerts} from './alerts.js';
import {Fleet} from './fleet.js';
import {Simulator} from './simulator.js';
import {Users} from './users.js';
import {Models} from './models.js';

export const PAGES = [
	{name: 'overview', path: '', role: 'viewer', view: Overview, icon: 'M4 13h6V4H4zM14 20h6V11h-6zM4 20h6v-3H4zM14 7h6V4h-6z'},
	{name: 'alerts', path: 'alerts', role: 'viewer', view: Alerts, icon: 'M12 3 2 20h20zM12 10v4M12 17v.5'},
	{name: 'fleet', path: 'fleet', role: 'viewer', view: Fleet, icon: 'M4 20V10M10 20V4M16 20v-7M21 20H3'},
	{name: 'simulator', path: 'simulator', role: 'engineer', view: Simulator, icon: 'M6 4v16l14-8z'},
	{name: 'models', path: 'models', role: 'viewer', view: Models, icon: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12v9M12 12L4 7.5'},
	{name: 'users', path: 'users', role: 'admin', view: Users, icon: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-6 7-6s7 2 7 6M17 11a3 3 0 1 0 0-6M18 15c2.5.5 4 2.5 4 6'},
	{name: 'site', path: 'sites', role: 'viewer', view: Site},
	{name: 'battery', path: 'batteries', role: 'viewer', view: Battery},
];
