package org.rvsm_tf.demo;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;

/**
 * The web app's files under an origin of their own: what a request is answered with.
 *
 * <p>Knows nothing of Android, so that it can be tested without a device.
 */
final class Site {
    /** Reserved by Android for this use: no server has the name. */
    static final String ORIGIN = "https://appassets.androidplatform.net";

    /** Where the files are: in the app, the package's assets. */
    interface Files {
        InputStream open(String path) throws IOException;
    }

    /** The answer to a request. */
    static final class Answer {
        final int status;
        final String reason;
        final String type;
        final InputStream body;

        private Answer(int status, String reason, String type, InputStream body) {
            this.status = status;
            this.reason = reason;
            this.type = type;
            this.body = body;
        }

        private static Answer empty(int status, String reason) {
            InputStream nothing = new ByteArrayInputStream(new byte[0]);
            return new Answer(status, reason, "text/plain", nothing);
        }
    }

    private final Files files;

    Site(Files files) {
        this.files = files;
    }

    /** Whether a URL belongs to the app; what does not parse, does not. */
    static boolean owns(String url) {
        return path(url) != null;
    }

    /** Answers the request for a URL; null if there is nobody to ask but the page. */
    Answer answer(String url) {
        if (url.startsWith("data:") || url.startsWith("blob:")) {
            return null;
        }
        String path = path(url);
        if (path == null || climbs(path)) {
            return Answer.empty(403, "Forbidden");
        }
        if (path.isEmpty() || path.equals("/")) {
            path = "/index.html";
        }
        try {
            return new Answer(200, "OK", type(path), files.open("web" + path));
        } catch (IOException missing) {
            return Answer.empty(404, "Not Found");
        }
    }

    /** A URL's path, decoded; null for another origin's. */
    private static String path(String url) {
        try {
            URI uri = new URI(url);
            String origin = uri.getScheme() + "://" + uri.getRawAuthority();
            return origin.equals(ORIGIN) ? uri.getPath() : null;
        } catch (URISyntaxException wrong) {
            return null;
        }
    }

    private static boolean climbs(String path) {
        for (String name : path.split("[/\\\\]")) {
            if (name.equals("..")) {
                return true;
            }
        }
        return false;
    }

    /** Scripts and WebAssembly are refused by the engine if their type is wrong. */
    private static String type(String path) {
        switch (path.substring(path.lastIndexOf('.') + 1)) {
            case "html":
                return "text/html";
            case "css":
                return "text/css";
            case "js":
            case "mjs":
                return "text/javascript";
            case "json":
                return "application/json";
            case "webmanifest":
                return "application/manifest+json";
            case "wasm":
                return "application/wasm";
            case "svg":
                return "image/svg+xml";
            case "png":
                return "image/png";
            case "txt":
                return "text/plain";
            default:
                return "application/octet-stream";
        }
    }
}
