// The gate of every environment: a host without a live one gets a page that says
// so, whatever the path, and never what the shared services would answer.
async function handler(event) {
    const request = event.request;
    const label = environmentOf(request.headers);
    if (!label) {
        return refuse(request, 404, label, 'There is no environment at this address.', again);
    }
    let value;
    try {
        const text = await store.get(label);
        value = JSON.parse(text);
    } catch (e) {
        // A key that is missing and a store that does not answer look the same here,
        // and a key that is being changed may be missing for a moment: so this is
        // never said to be the end of an environment.
        value = {};
    }
    if (request.uri === '/_preview') {
        return about(label, value);
    }
    if (value.state === 'starting') {
        return refuse(request, 503, label, 'This environment is starting' + at(value.commit) + '.', progress);
    }
    if (value.state === 'gone') {
        return refuse(request, 404, label, 'This environment was removed.', again);
    }
    if (value.state !== 'live') {
        return refuse(request, 503, label, 'This environment is not known here. If it is new or has just changed, it appears within a minute. If it was removed, or never was, it does not.', again);
    }
    if (climbs(request.uri)) {
        return refuse(request, 400, label, 'The path of this address is not valid.', 'Paths with dot segments are not served.');
    }
    if (!backendOf(request.uri)) {
        request.uri = '/' + (value.frontend || settings.reserved) + page(request.uri, accepted(request));
    }
    return request;
}

const again = 'To make it or get it back, type <code>/provisionenv</code> in Slack.';
const progress = 'Its message in Slack tells how far it is.';

// about is what this edge location was told of an environment, for whoever has to
// know it when a service's own answer does not show it: CloudFront marks no answer
// of 400 or above.
function about(label, value) {
    const known = value.state === 'live' || value.state === 'starting' || value.state === 'gone';
    const body = {
        environment: label,
        state: known ? value.state : 'unknown',
        commit: value.commit || '',
        overrides: value.overrides || [],
        note: 'What this edge location was told, which may be a minute old. Which target answers a path is not known here.'
    };
    const headers = plain(label, 'application/json');
    return generated(known ? 200 : 503, headers, JSON.stringify(body));
}

function at(commit) {
    return commit ? ' at commit ' + String(commit).replace(/[^0-9A-Za-z]/g, '').slice(0, 12) : '';
}

const files = /\.(avif|bmp|br|css|csv|docx?|eot|gif|gz|html?|ico|jpe?g|js|json|map|md|mjs|mp[34]|og[agv]|otf|pdf|png|pptx?|rss|svg|tar|ttf|txt|wasm|wav|web[mp]|webmanifest|woff2?|xlsx?|xml|ya?ml|zip)$/i;

// page is the file behind a path. A path with the extension of a file is that file;
// one with another dot, such as /users/john.doe, is a route when a browser goes
// there, which asks for HTML, and else a file. What a route is, the catalog says.
function page(uri, accept) {
    const name = uri.slice(uri.lastIndexOf('/') + 1);
    if (files.test(name) || uri.startsWith('/.well-known/') || name.indexOf('.') >= 0 && accept.indexOf('text/html') < 0) {
        return uri;
    }
    if (settings.routing === 'spa') {
        return '/index.html';
    }
    if (!name) {
        return uri + 'index.html';
    }
    return uri + (settings.routing === 'html' ? '.html' : '/index.html');
}

function accepted(request) {
    return request.headers.accept ? request.headers.accept.value : '';
}

// climbs tells whether a path holds a dot segment, plain or encoded, however
// often. CloudFront chooses the behavior by the resolved path and hands on the raw
// one, so that such a path would be looked at as one thing and served as another.
function climbs(uri) {
    const path = uri.replace(/%(25)+/g, '%').replace(/%2e/gi, '.').replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
    return /(^|[\/\\])\.\.?([\/\\]|$)/.test(path);
}

function refuse(request, status, label, what, next) {
    const json = wantsJSON(request);
    const headers = plain(label, json ? 'application/json' : 'text/html; charset=utf-8');
    return generated(status, headers, json ? JSON.stringify({ error: what, environment: label }) : html(status, label, what, next));
}

// plain are the headers of an answer that is made here, which nobody may keep.
function plain(label, type) {
    const headers = {
        'cache-control': { value: 'no-store' },
        'content-type': { value: type },
        'x-robots-tag': { value: 'noindex' }
    };
    if (label) {
        headers['x-preview-environment'] = { value: label };
    }
    return headers;
}

function generated(status, headers, body) {
    const names = { 200: 'OK', 400: 'Bad Request', 404: 'Not Found', 503: 'Service Unavailable' };
    if (status === 503) {
        headers['retry-after'] = { value: '5' };
    }
    return { statusCode: status, statusDescription: names[status], headers: headers, body: { encoding: 'text', data: body } };
}

function wantsJSON(request) {
    if (backendOf(request.uri)) {
        return true;
    }
    const accept = accepted(request);
    const json = accept.indexOf('application/json'), page = accept.indexOf('text/html');
    return json >= 0 && (page < 0 || json < page);
}

// html needs no escaping: a label is letters, digits and hyphens by the time that
// it comes here, and the rest is ours.
function html(status, label, what, next) {
    const title = (label || 'Preview') + (next === progress ? ' is not ready yet' : status === 400 ? ': wrong address' : ' is not here');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
code { padding: .1em .35em; border-radius: .3em; background: #8882; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${what}</p>
<p>${next}</p>
${label && status !== 400 ? watch : ''}
</main>
</body>
</html>
`;
}

// watch asks for news with growing pauses, for some twenty minutes, and shows the
// environment when it is there.
const watch = `<p id="watch">Reload this page to look again.</p>
<script>
const p = document.getElementById('watch');
let pause = 2;
function look() {
  fetch('/_preview', { cache: 'no-store' }).then(r => r.json()).then(v => v.state === 'live').catch(() => false).then(live => {
    if (live) location.reload();
    else if ((pause *= 1.2) > 200) p.textContent = 'This page has stopped looking. Reload it to look again.';
    else setTimeout(look, 1000 * pause);
  });
}
p.textContent = 'This page looks again by itself, for twenty minutes, and shows the environment when it is here.';
setTimeout(look, 1000 * pause);
</script>`;
