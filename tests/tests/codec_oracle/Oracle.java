// Answers each line `Message version hex` with what Kafka's own classes make of it: the bytes read and written again,
// then the bytes of a message with nothing set, `-` where that version cannot carry one.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;

public class Oracle {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder out = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            short version = Short.parseShort(words[1]);
            ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(words[2]));
            String again;
            try {
                ApiMessage message = create(words[0]);
                message.read(new ByteBufferAccessor(bytes), version);
                again = bytes.hasRemaining() ? "left:" + bytes.remaining() : hex(message, version);
            } catch (Exception e) {
                again = "error:" + e.toString().replace(' ', '_').replace('\n', '_');
            }
            String empty;
            try {
                empty = hex(create(words[0]), version);
            } catch (Exception e) {
                empty = "-";
            }
            out.append(again).append(' ').append(empty).append('\n');
        }
        System.out.print(out);
    }

    private static ApiMessage create(String name) throws Exception {
        String path = "org.apache.kafka.common.message." + name;
        Class<?> type;
        try {
            type = Class.forName(path + "Data");
        } catch (ClassNotFoundException e) {
            type = Class.forName(path);
        }
        return (ApiMessage) type.getDeclaredConstructor().newInstance();
    }

    private static String hex(ApiMessage message, short version) {
        ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return HexFormat.of().formatHex(copy);
    }
}
