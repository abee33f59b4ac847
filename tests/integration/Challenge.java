import java.io.InputStream;
import java.io.OutputStream;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.PasswordAuthentication;
import java.net.URL;

/** Posts a form, then reads, with credentials only once they are asked for; prints both statuses. */
public class Challenge {
    public static void main(String[] arguments) throws Exception {
        Authenticator.setDefault(new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return new PasswordAuthentication(arguments[1], arguments[2].toCharArray());
            }
        });
        HttpURLConnection made = (HttpURLConnection) new URL(arguments[0]).openConnection();
        made.setDoOutput(true);
        try (OutputStream body = made.getOutputStream()) {
            body.write("Body=challenged".getBytes("UTF-8"));
        }
        System.out.println(made.getResponseCode());
        try (InputStream answer = made.getInputStream()) {
            answer.readAllBytes();
        }
        System.out.println(((HttpURLConnection) new URL(arguments[0]).openConnection()).getResponseCode());
    }
}
