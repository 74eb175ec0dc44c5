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
        if (!(await store.exists(label))) {
            return refuse(request, 404, label, 'This environment does not exist, or its time was up and it was removed.', again);
        }
        value = JSON.parse(await store.get(label));
    } catch (e) {
        value = {};
    }
    if (value.state === 'starting') {
        return refuse(request, 503, label, 'This environment is starting' + at(value.commit) + '.', waiting);
    }
    if (value.state !== 'live') {
        return refuse(request, 503, label, 'The state of this environment could not be read.', waiting);
    }
    if (climbs(request.uri)) {
        return refuse(request, 400, label, 'The path of this address is not valid.', 'Paths with dot segments are not served.');
    }
    if (!backendOf(request.uri)) {
        request.uri = '/' + (value.frontend || settings.reserved) + page(request.uri);
    }
    return request;
}

const again = 'To get it back, type <code>/provisionenv</code> in Slack. If you have just done so, it appears here within seconds: this page reloads by itself.';
const waiting = 'This page reloads by itself every 5 seconds. <code>/envstatus</code> in Slack tells how far it is.';

function at(commit) {
    return commit ? ' at commit ' + String(commit).replace(/[^0-9A-Za-z]/g, '').slice(0, 12) : '';
}

// page is the file behind a path: a path without an extension is a route of the
// frontend, which its index.html knows.
function page(uri) {
    return uri.slice(uri.lastIndexOf('/')).indexOf('.') < 0 ? '/index.html' : uri;
}

// climbs tells whether a path holds a dot segment, plain or encoded, however
// often. CloudFront chooses the behavior by the resolved path and hands on the raw
// one, so that such a path would be looked at as one thing and served as another.
function climbs(uri) {
    const path = uri.replace(/%(25)+/g, '%').replace(/%2e/gi, '.').replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
    return /(^|[\/\\])\.\.?([\/\\]|$)/.test(path);
}

function refuse(request, status, label, what, next) {
    const names = { 400: 'Bad Request', 404: 'Not Found', 503: 'Service Unavailable' };
    const headers = {
        'cache-control': { value: 'no-store' },
        'x-robots-tag': { value: 'noindex' }
    };
    if (label) {
        headers['x-preview-environment'] = { value: label };
    }
    if (status === 503) {
        headers['retry-after'] = { value: '5' };
    }
    const json = wantsJSON(request);
    headers['content-type'] = { value: json ? 'application/json' : 'text/html; charset=utf-8' };
    return {
        statusCode: status,
        statusDescription: names[status],
        headers: headers,
        body: { encoding: 'text', data: json ? JSON.stringify({ error: what, environment: label }) : html(status, label, what, next) }
    };
}

function wantsJSON(request) {
    if (backendOf(request.uri)) {
        return true;
    }
    const accept = request.headers.accept ? request.headers.accept.value : '';
    const json = accept.indexOf('application/json'), page = accept.indexOf('text/html');
    return json >= 0 && (page < 0 || json < page);
}

// html needs no escaping: a label is letters, digits and hyphens by the time that
// it comes here, and the rest is ours.
function html(status, label, what, next) {
    const title = (label || 'Preview') + (status === 503 ? ' is not ready yet' : status === 400 ? ': wrong address' : ' is not here');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${status !== 400 ? '<meta http-equiv="refresh" content="5">' : ''}
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
</main>
</body>
</html>
`;
}
