// Says on every answer which environment, service and commit it is from, and
// whether the service is the environment's own. CloudFront does not run this on
// an answer of 400 or above from an origin, so nothing safe may rest on it.
async function handler(event) {
    const headers = event.response.headers;
    unsay(headers);
    headers['x-robots-tag'] = { value: 'noindex' };
    const label = environmentOf(event.request.headers);
    if (!label) {
        return event.response;
    }
    headers['x-preview-environment'] = { value: label };
    let value;
    try {
        const text = await store.get(label);
        value = JSON.parse(text);
    } catch (e) {
        return event.response;
    }
    if (value.state !== 'live') {
        return event.response;
    }
    const prefix = '/' + (value.frontend || settings.reserved) + '/';
    // The path is the viewer's or the rewritten one. A rewritten path is never a
    // backend's, whatever its patterns.
    const backend = event.request.uri.startsWith(prefix) ? '' : backendOf(event.request.uri);
    const own = backend ? (value.overrides || []).indexOf(backend) >= 0 : Boolean(value.frontend);
    headers['x-preview-service'] = { value: backend || settings.frontend };
    headers['x-preview-source'] = { value: own ? 'override' : 'fallback' };
    // Which commit the baseline runs is not known here; the environment's it is not.
    headers['x-preview-commit'] = { value: own ? String(value.commit) : 'baseline' };
    if (!backend && headers.location) {
        headers.location = { value: outside(headers.location.value, prefix) };
    }
    return event.response;
}

// unsay takes away what an origin has no say in.
function unsay(headers) {
    ['environment', 'service', 'commit', 'source'].forEach(function (name) {
        delete headers['x-preview-' + name];
    });
}

// outside is a location as the viewer knows it: without the prefix of the build.
function outside(location, prefix) {
    const start = /^([a-z]+:)?\/\/[^\/]+/i.exec(location);
    const host = start ? start[0] : '';
    const path = location.slice(host.length);
    return path.startsWith(prefix) ? host + path.slice(prefix.length - 1) : location;
}
