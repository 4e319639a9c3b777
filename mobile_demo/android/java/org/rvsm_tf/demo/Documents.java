package org.rvsm_tf.demo;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.ClipData;
import android.content.Intent;
import android.net.Uri;
import android.util.Base64;
import android.webkit.JavascriptInterface;
import android.webkit.ValueCallback;
import android.widget.Toast;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Files that the user lets into the page or out of it, by the system's own dialogues.
 *
 * <p>What is chosen there may be read or written without any permission.
 */
public final class Documents {
    private static final int OPEN = 1;
    private static final int SAVE = 2;

    private final Activity activity;

    /** The page's question for files while the dialogue is open. */
    private ValueCallback<Uri[]> question;

    /**
     * What the page saves, while the user says where. A file, since the system may end the
     * app behind its dialogue and start it anew for the answer.
     */
    private final File pending;

    private final AtomicBoolean saving = new AtomicBoolean();

    Documents(Activity activity) {
        this.activity = activity;
        pending = new File(activity.getCacheDir(), "pending");
    }

    /** Asks for files to give to the page; false if this device cannot. */
    boolean open(ValueCallback<Uri[]> question, boolean several) {
        // All types: what Android takes a .json file for depends on where it lies.
        Intent dialogue = new Intent(Intent.ACTION_OPEN_DOCUMENT)
                .addCategory(Intent.CATEGORY_OPENABLE)
                .setType("*/*")
                .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, several);
        if (!show(dialogue, OPEN)) {
            return false;
        }
        this.question = question;
        return true;
    }

    /** Saves a file for the page, which calls this as rvsmAndroid.save. */
    @JavascriptInterface
    public void save(String name, String mimeType, String base64) {
        if (!saving.compareAndSet(false, true)) {
            say("The file before is not saved yet");
            return;
        }
        try (OutputStream out = new FileOutputStream(pending)) {
            out.write(Base64.decode(base64, Base64.DEFAULT));
        } catch (IOException | IllegalArgumentException e) {
            say("Cannot save the file: " + e.getMessage());
            done();
            return;
        }
        final Intent dialogue = new Intent(Intent.ACTION_CREATE_DOCUMENT)
                .addCategory(Intent.CATEGORY_OPENABLE)
                .setType(mimeType)
                .putExtra(Intent.EXTRA_TITLE, name);
        activity.runOnUiThread(new Runnable() {
            @Override
            public void run() {
                if (!show(dialogue, SAVE)) {
                    done();
                }
            }
        });
    }

    /** Takes what the user answered to a dialogue. */
    void answered(int request, int result, Intent data) {
        boolean chosen = result == Activity.RESULT_OK && data != null;
        if (request == OPEN && question != null) {
            question.onReceiveValue(chosen ? uris(data) : null);
            question = null;
        } else if (request == SAVE && chosen) {
            write(data.getData());
        } else if (request == SAVE) {
            done();
        }
    }

    private boolean show(Intent dialogue, int request) {
        try {
            activity.startActivityForResult(dialogue, request);
            return true;
        } catch (ActivityNotFoundException e) {
            say("This device has no app that chooses files");
            return false;
        }
    }

    private static Uri[] uris(Intent data) {
        ClipData several = data.getClipData();
        if (several == null) {
            return new Uri[] {data.getData()};
        }
        Uri[] uris = new Uri[several.getItemCount()];
        for (int i = 0; i < uris.length; i++) {
            uris[i] = several.getItemAt(i).getUri();
        }
        return uris;
    }

    /** Writes aside of the window's thread: the place may be a slow one. */
    private void write(final Uri target) {
        new Thread() {
            @Override
            public void run() {
                // "t" shortens a longer file that was there.
                try (InputStream in = new FileInputStream(pending);
                        OutputStream out =
                                activity.getContentResolver().openOutputStream(target, "wt")) {
                    byte[] buffer = new byte[1 << 16];
                    for (int n = in.read(buffer); n != -1; n = in.read(buffer)) {
                        out.write(buffer, 0, n);
                    }
                } catch (IOException | RuntimeException e) {
                    // Other apps' providers throw what they like.
                    say("Cannot save the file: " + e.getMessage());
                }
                done();
            }
        }.start();
    }

    private void done() {
        pending.delete();
        saving.set(false);
    }

    private void say(final String words) {
        activity.runOnUiThread(new Runnable() {
            @Override
            public void run() {
                Toast.makeText(activity, words, Toast.LENGTH_SHORT).show();
            }
        });
    }
}
