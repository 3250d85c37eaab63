import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs many of Kafka's command line tools in one JVM, one after the other: a JVM's start costs more than the tool's work.
 * A job is a directory with `class` (the tool's main class), `args` (one per line) and perhaps `stdin`; the tool's output
 * goes to `stdout`, its exit code to `exit`. Each tool runs its own `main`; only exit and shutdown hooks are ours.
 */
public class Tools {
    static final class Exited extends Error {
        final int code;

        Exited(int code) {
            super("exit " + code, null, false, false);
            this.code = code;
        }
    }

    /** Some tools catch everything around their own exit, and exit once more: the first code counts. */
    static Exited first;

    static Exited exited(int code) {
        if (first == null) {
            first = new Exited(code);
        }
        return first;
    }

    public static void main(String[] jobs) throws Exception {
        List<Runnable> hooks = new ArrayList<>();
        Exit.setExitProcedure((code, message) -> { throw exited(code); });
        Exit.setHaltProcedure((code, message) -> { throw exited(code); });
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        InputStream in = System.in;
        PrintStream out = System.out;
        for (String job : jobs) {
            Path directory = Path.of(job);
            String name = Files.readString(directory.resolve("class")).strip();
            String[] args = Files.readAllLines(directory.resolve("args")).toArray(new String[0]);
            Path stdin = directory.resolve("stdin");
            byte[] input = Files.exists(stdin) ? Files.readAllBytes(stdin) : new byte[0];
            System.setIn(new ByteArrayInputStream(input));
            int code = 0;
            first = null;
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            System.setOut(new PrintStream(said, true));
            try {
                Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
            } catch (InvocationTargetException e) {
                if (e.getCause() instanceof Exited exited) {
                    code = exited.code;
                } else {
                    e.getCause().printStackTrace();
                    code = 1;
                }
            }
            for (Runnable hook : hooks) {
                hook.run();
            }
            hooks.clear();
            System.out.flush();
            System.setIn(in);
            System.setOut(out);
            try (FileOutputStream file = new FileOutputStream(directory.resolve("stdout").toFile())) {
                said.writeTo(file);
            }
            Files.writeString(directory.resolve("exit"), Integer.toString(code));
        }
        // Hooks and client threads of the tools must not keep the JVM alive.
        Runtime.getRuntime().halt(0);
    }
}
