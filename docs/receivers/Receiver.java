/*
 * Receives result notifications. Needs Java 17 or later, and the jar of com.nimbusds:nimbus-jose-jwt.
 *   java -cp nimbus-jose-jwt.jar Receiver.java 4000 keys.json [other-keys.json]
 */
import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.crypto.RSADecrypter;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    private static final byte[] ACKNOWLEDGEMENT =
            "{\"response\":{\"code\":\"000_000\",\"description\":\"Success.\"}}".getBytes(StandardCharsets.UTF_8);
    private static final Pattern TOKEN = Pattern.compile("KMV1:\\d{17}:([A-Za-z0-9+/]{43}=)");
    private static final Set<EncryptionMethod> METHODS = Set.of(EncryptionMethod.A128GCM, EncryptionMethod.A256GCM);
    private static final int MAX_BODY_BYTES = 64 * 1024;

    /** The request is not a notification of the service. */
    private static class Unverified extends Exception {
        Unverified(String message) {
            super(message);
        }
    }

    private record Keys(String aspId, SecretKeySpec secretKey, PrivateKey privateKey) {}

    private record Result(String number, String status, String code, long sequence) {}

    /** By the ID of the crypto key. While keys are changed there are two sets. */
    private final Map<String, Keys> keySets = new HashMap<>();

    /** The highest sequence of each registration. In production: a table, written in one transaction with the result. */
    private final Map<String, Long> sequences = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        Receiver receiver = new Receiver();
        for (String file : Arrays.copyOfRange(arguments, 1, arguments.length)) receiver.addKeys(Path.of(file));
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(arguments[0])), 0);
        server.createContext("/", receiver::handle);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
        System.out.println("listening on " + arguments[0]);
    }

    private void addKeys(Path file) throws Exception {
        Map<String, Object> keys = JSONObjectUtils.parse(Files.readString(file));
        String pem = JSONObjectUtils.getString(keys, "clientPrivateKey").replaceAll("-----.*?-----|\\s", "");
        PKCS8EncodedKeySpec privateKey = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
        byte[] secretKey = JSONObjectUtils.getString(keys, "secretKey").getBytes(StandardCharsets.UTF_8);
        keySets.put(
                JSONObjectUtils.getString(keys, "cryptoKeyId"),
                new Keys(
                        JSONObjectUtils.getString(keys, "aspId"),
                        new SecretKeySpec(secretKey, "HmacSHA256"),
                        KeyFactory.getInstance("RSA").generatePrivate(privateKey)));
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            int status = receive(exchange);
            exchange.sendResponseHeaders(status, status == 200 ? ACKNOWLEDGEMENT.length : -1);
            if (status == 200) exchange.getResponseBody().write(ACKNOWLEDGEMENT);
        }
    }

    private int receive(HttpExchange exchange) {
        try {
            byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
            if (body.length > MAX_BODY_BYTES) throw new Unverified("too large");
            System.out.println(store(decrypt(body, verify(exchange.getRequestHeaders(), body))));
            return 200;
        } catch (Exception error) {
            // After a 500 the service sends the notification again.
            System.err.println("refused: " + error);
            return error instanceof Unverified ? 400 : 500;
        }
    }

    private Keys verify(Headers headers, byte[] body) throws Unverified, GeneralSecurityException {
        Keys keys = keySets.get(headers.getFirst("X-KM-Crypto-Key-Id"));
        if (keys == null || !keys.aspId().equals(headers.getFirst("X-KM-User-AspId")))
            throw new Unverified("unknown key or ASP ID");
        String token = headers.getFirst("X-KM-Tran-Token");
        Matcher matcher = TOKEN.matcher(token == null ? "" : token);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(keys.secretKey());
        byte[] expected = mac.doFinal(body);
        // MessageDigest.isEqual compares in constant time.
        if (!matcher.matches() || !MessageDigest.isEqual(Base64.getDecoder().decode(matcher.group(1)), expected))
            throw new Unverified("wrong signature");
        return keys;
    }

    private Result decrypt(byte[] body, Keys keys) throws Unverified {
        try {
            String text = new String(body, StandardCharsets.UTF_8);
            JWEObject message = JWEObject.parse(JSONObjectUtils.getString(JSONObjectUtils.parse(text), "encData"));
            boolean isAllowed = JWEAlgorithm.RSA_OAEP_256.equals(message.getHeader().getAlgorithm())
                    && METHODS.contains(message.getHeader().getEncryptionMethod());
            if (!isAllowed) throw new Unverified("another algorithm");
            message.decrypt(new RSADecrypter(keys.privateKey()));
            Map<String, Object> result = message.getPayload().toJSONObject();
            return new Result(
                    JSONObjectUtils.getString(result, "bankAccRegNo"),
                    JSONObjectUtils.getString(result, "status"),
                    JSONObjectUtils.getString(JSONObjectUtils.getJSONObject(result, "response"), "code"),
                    JSONObjectUtils.getLong(result, "sequence"));
        } catch (Exception error) {
            throw new Unverified("not encrypted for this key");
        }
    }

    private synchronized String store(Result result) {
        if (result.number().startsWith("TEST")) return "test notification";
        if (result.sequence() <= sequences.getOrDefault(result.number(), 0L)) return "repeated " + result.number();
        sequences.put(result.number(), result.sequence());
        return "stored %s %s %s".formatted(result.number(), result.status(), result.code());
    }
}
