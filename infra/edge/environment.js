import cf from 'cloudfront';

// What both viewer functions know: which host is which environment, and which
// path is which backend. Render puts the handler of one of them after this file.
// Only what docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
// lists may be used here, and no await among the arguments of a call: the runtime
// refuses it at each request, and CreateFunction takes it. The tests hold it to that.
const settings = __SETTINGS__;
const store = cf.kvs();

// environmentOf returns the label of a host that is exactly one label below the
// base domain, and '' for every other host. A host name has no case, but one
// with a trailing dot is refused: the load balancer's rules would not know it.
function environmentOf(headers) {
    const host = headers.host ? headers.host.value.toLowerCase().replace(/:[0-9]+$/, '') : '';
    const tail = '.' + settings.baseDomain;
    if (!host.endsWith(tail)) {
        return '';
    }
    const label = host.slice(0, -tail.length);
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label) || label === settings.reserved) {
        return '';
    }
    return label;
}

// backendOf returns the backend whose pattern fits the path, '' when there is
// none. Of several the longest pattern counts, as it does in the listener.
function backendOf(path) {
    let name = '', longest = -1;
    settings.backends.forEach(function (backend) {
        backend.paths.forEach(function (pattern) {
            if (pattern.length > longest && fits(pattern, path)) {
                name = backend.name;
                longest = pattern.length;
            }
        });
    });
    return name;
}

// fits matches as the load balancer does: with case, * is any number of
// characters and ? is exactly one.
function fits(pattern, path) {
    let p = 0, s = 0, star = -1, retry = 0;
    while (s < path.length) {
        if (pattern[p] === '*') {
            star = p++;
            retry = s;
        } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === path[s])) {
            p++;
            s++;
        } else if (star >= 0) {
            p = star + 1;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (pattern[p] === '*') {
        p++;
    }
    return p === pattern.length;
}
