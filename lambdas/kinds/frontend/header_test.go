package frontend

import "testing"

func TestCacheControl(t *testing.T) {
	tests := map[string]string{
		"index.html":                       noCache,
		"about-BqT3x9aZ.html":              noCache, // a page, whatever its name
		"app.3f2a1b9c.js":                  immutable,
		"app.3f2a1b9c.js.map":              immutable,
		"static/js/main.3f2a1b9c.chunk.js": immutable,
		"assets/index-BqT3x9aZ.js":         immutable,
		"assets/index-B_T3-9aZ.css":        immutable, // base64url holds hyphens
		"assets/logo-3f2a1b9c0d4e5f60.png": immutable,
		"chunk-ABC2DEF7.js":                immutable,
		"fonts/inter.woff2":                noCache,
		"app.js":                           noCache,
		"jquery-3.7.1.min.js":              noCache,
		"photo-20240101.jpg":               noCache, // a date
		"photo.20240101.jpg":               noCache,
		"3f2a1b9c.js":                      noCache, // a name of its own
		"user-settings.js":                 noCache,
		"index-MyButton.js":                noCache, // a word
		"deadbeef.js":                      noCache,
		"app.deadbeef.js":                  noCache, // no digit: in doubt it is none
		"app-VERSION2.js":                  noCache,
		"app-UPPERCASE.js":                 noCache,
		"sw.js":                            noCache,
		"site.webmanifest":                 noCache,
		"robots.txt":                       noCache,
		"3f2a1b9c/app.js":                  noCache, // the folder's name says nothing of the file
		"LICENSE-3f2a1b9c":                 noCache, // no extension
		".3f2a1b9c":                        noCache,
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			if got := cacheControl(name); got != want {
				t.Errorf("cacheControl(%q) = %q, want %q", name, got, want)
			}
		})
	}
}

func TestContentType(t *testing.T) {
	tests := map[string]string{
		"index.html":       "text/html; charset=utf-8",
		"a/INDEX.HTML":     "text/html; charset=utf-8",
		"app.js":           "text/javascript; charset=utf-8",
		"app.mjs":          "text/javascript; charset=utf-8",
		"app.js.map":       "application/json",
		"app.css":          "text/css; charset=utf-8",
		"app.wasm":         "application/wasm",
		"logo.svg":         "image/svg+xml",
		"logo.avif":        "image/avif",
		"font.woff2":       "font/woff2",
		"site.webmanifest": "application/manifest+json",
		"favicon.ico":      "image/x-icon",
		"LICENSE":          "application/octet-stream",
		"a.unheardof":      "application/octet-stream",
		"v1.2/file":        "application/octet-stream",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			if got := contentType(name); got != want {
				t.Errorf("contentType(%q) = %q, want %q", name, got, want)
			}
		})
	}
}
