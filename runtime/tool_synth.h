/* tool_synth: `hearth synth`, a random model of a real shape written straight into a GGUF file.
 * Thread: main. */
#ifndef RUNTIME_TOOL_SYNTH_H
#define RUNTIME_TOOL_SYNTH_H

int tool_synth(int argc, char **argv);

#endif
