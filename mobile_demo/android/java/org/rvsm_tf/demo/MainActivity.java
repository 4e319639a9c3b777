package org.rvsm_tf.demo;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import android.webkit.ValueCallback;
import android.webkit.WebChromeClient;
import android.webkit.WebResourceRequest;
import android.webkit.WebResourceResponse;
import android.webkit.WebSettings;
import android.webkit.WebView;
import android.webkit.WebViewClient;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;

/** Shows the web app, from the package's assets and from nowhere else. */
public final class MainActivity extends Activity {
    private final Site site = new Site(new Site.Files() {
        @Override
        public InputStream open(String path) throws IOException {
            return getAssets().open(path);
        }
    });

    private Documents documents;
    private WebView web;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        documents = new Documents(this);
        web = new WebView(this);

        WebSettings settings = web.getSettings();
        settings.setJavaScriptEnabled(true);
        settings.setDomStorageEnabled(true);
        settings.setAllowFileAccess(false);
        settings.setAllowContentAccess(false);
        settings.setBlockNetworkLoads(true);
        settings.setMixedContentMode(WebSettings.MIXED_CONTENT_NEVER_ALLOW);

        web.setWebViewClient(new Pages());
        web.setWebChromeClient(new Dialogues());
        // Within reach of our own page only: no other is ever loaded.
        web.addJavascriptInterface(documents, "rvsmAndroid");
        setContentView(web);

        if (saved == null || web.restoreState(saved) == null) {
            web.loadUrl(Site.ORIGIN + "/");
        }
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        web.saveState(state);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        documents.answered(request, result, data);
    }

    @Override
    public void onBackPressed() {
        if (web.canGoBack()) {
            web.goBack();
        } else {
            super.onBackPressed();
        }
    }

    @Override
    protected void onDestroy() {
        web.destroy();
        super.onDestroy();
    }

    private final class Pages extends WebViewClient {
        @Override
        public WebResourceResponse shouldInterceptRequest(
                WebView view, WebResourceRequest request) {
            Site.Answer answer = site.answer(request.getUrl().toString());
            if (answer == null) {
                return null;
            }
            // No encoding: the page's files are UTF-8 and the HTML says so; and a binary
            // file's type must stand alone.
            return new WebResourceResponse(
                    answer.type,
                    null,
                    answer.status,
                    answer.reason,
                    Collections.<String, String>emptyMap(),
                    answer.body);
        }

        // The form that API 23 has; later ones call it too.
        @Override
        public boolean shouldOverrideUrlLoading(WebView view, String url) {
            return !Site.owns(url);
        }
    }

    private final class Dialogues extends WebChromeClient {
        @Override
        public boolean onShowFileChooser(
                WebView view, ValueCallback<Uri[]> question, FileChooserParams params) {
            boolean several = params.getMode() == FileChooserParams.MODE_OPEN_MULTIPLE;
            return documents.open(question, several);
        }
    }
}
