/* `ketsweep completion bash|zsh`: scripts that complete commands, options, files, and the keys of --set with their
 * values, written from the table of commands and the keys of a configuration. They hold all words, so that a key press
 * starts no program. */
#include "app/app_impl.h"
#include "base/error.h"

#include <string.h>

/* Text within '...' of a shell; with `escapes` a backslash before each of these characters. */
static void print_quoted(const char *text, const char *escapes) {
    for (; *text != '\0'; text++) {
        if (strchr(escapes, *text) != NULL) putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

/* What completes an operand or a value: the words themselves, or "=" and the kind of thing. */
static const char *find_words(const char *what, const char *choices, bool is_operand) {
    if (choices != NULL) return choices;
    if (what == NULL) return "";
    if (strcmp(what, "CONFIG") == 0) return "=cfg";
    if (strcmp(what, "KEY=VALUE") == 0) return "=set";
    if (strcmp(what, "METHOD") == 0) return "=methods";
    if (strcmp(what, "[COMMAND]") == 0) return "=commands";
    if (strcmp(what, "FILE") == 0 || strcmp(what, "SHARD...") == 0) return is_operand ? "=h5" : "=file";
    return "=any"; /* a number, or a name that is Slurm's */
}

static void print_methods(void) {
    for (int i = 0; i < KS_N_METHODS; i++) printf("%s%s", i > 0 ? " " : "", ks_methods[i].name);
}

/* ---- bash ----------------------------------------------------------------------------------------------------- */

static void print_bash_case(const char *command, const char *option, const char *words) {
    printf("        %s:%s) ", command, option);
    if (words[0] == '\0')
        printf(";;\n");
    else if (words[0] != '=')
        printf("_ketsweep_words '%s' ;;\n", words);
    else if (strcmp(words, "=methods") == 0)
        printf("_ketsweep_words \"$_ketsweep_methods\" ;;\n");
    else if (strcmp(words, "=commands") == 0)
        printf("_ketsweep_words \"$_ketsweep_commands\" ;;\n");
    else if (strcmp(words, "=set") == 0)
        printf("_ketsweep_set ;;\n");
    else if (strcmp(words, "=any") == 0)
        printf(";;\n");
    else
        printf("_ketsweep_files %s ;;\n", strcmp(words, "=file") == 0 ? "''" : words + 1);
}

static void print_bash_options(const struct ks_command *command, bool with_value) {
    for (const struct ks_use *use = command->options; use->name != NULL; use++) {
        const struct ks_option *option = ks_arguments_option(use->name);
        if (with_value && option->value == NULL) continue;
        printf("--%s ", option->name);
        if (option->letter[0] != '\0') printf("%s ", option->letter);
    }
    if (!with_value) printf("--help -h");
}

static void print_bash_values(const struct ks_command *command) {
    for (const struct ks_use *use = command->options; use->name != NULL; use++) {
        const struct ks_option *option = ks_arguments_option(use->name);
        char name[64];
        if (option->value == NULL) continue;
        snprintf(name, sizeof name, "--%s", option->name);
        if (option->letter[0] != '\0')
            snprintf(name, sizeof name, "--%s|%s:%s", option->name, command->name, option->letter);
        print_bash_case(command->name, name, find_words(option->value, use->choices, false));
    }
    print_bash_case(command->name, "", find_words(command->operand, command->choices, true));
}

static void print_bash_key(void *self, const char *key, const char *meaning, int n_values,
                           const char *const *values) {
    (void)self;
    (void)meaning;
    if (n_values == 0) return;
    printf("        %s) printf '%%s\\n'", key);
    for (int i = 0; i < n_values; i++) printf(" '%s'", values[i]);
    printf(" ;;\n");
}

static void print_key(void *self, const char *key, const char *meaning, int n_values,
                      const char *const *values) {
    (void)self;
    (void)meaning;
    (void)n_values;
    (void)values;
    printf("%s ", key);
}

/* Readline takes what stands behind the last "=" outside quotes as the word, so that is what a candidate replaces. */
static const char bash_functions[] =
    "_ketsweep_words() {\n"
    "    COMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n"
    "}\n\n"
    "# Files with this ending, and folders; all files where it is ''.\n"
    "_ketsweep_files() {\n"
    "    local name IFS=$'\\n'\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    for name in $(compgen -f -- \"$cur\"); do\n"
    "        [[ -z $1 || $name == *.$1 || -d $name ]] && COMPREPLY+=(\"$name\")\n"
    "    done\n"
    "}\n\n"
    "# KEY=VALUE; strings want their quotes, which the shell must not take.\n"
    "_ketsweep_set() {\n"
    "    local quote='' key value prefix word IFS=$'\\n'\n"
    "    case $cur in [\\'\\\"]*) quote=${cur:0:1} cur=${cur:1} ;; esac\n"
    "    compopt -o nospace 2>/dev/null\n"
    "    if [[ $cur != *=* ]]; then\n"
    "        COMPREPLY=($(IFS=$' \\t\\n'; compgen -S = -W \"$_ketsweep_keys\" -- \"$cur\"))\n"
    "        return\n"
    "    fi\n"
    "    key=${cur%%=*} value=${cur#*=} prefix=$key=\n"
    "    [[ -z $quote && $COMP_WORDBREAKS == *=* ]] && prefix=''\n"
    "    [[ $quote == '\"' ]] && value=${value//\\\\\\\"/\\\"}\n"
    "    [[ -z $quote ]] && value=${value//\\\\/}\n"
    "    for word in $(_ketsweep_values \"$key\"); do\n"
    "        [[ $word == \"$value\"* || $word == \"\\\"$value\"* ]] || continue\n"
    "        case $quote in\n"
    "            '') word=${word//\\\"/\\\\\\\"} word=${word//\\[/\\\\[} word=${word//\\]/\\\\]} ;;\n"
    "            '\"') word=${word//\\\"/\\\\\\\"} ;;\n"
    "        esac\n"
    "        COMPREPLY+=(\"$prefix$word\")\n"
    "    done\n"
    "}\n\n"
    "# The word before the cursor in `cur`, what it is the value of in `of`; readline has cut both at "
    "\"=\".\n"
    "_ketsweep_read_line() {\n"
    "    local i word joined=() is_joined=false\n"
    "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [[ ${#joined[@]} -gt 0 && ( $word == =* || $is_joined == true ) ]]; then\n"
    "            joined[${#joined[@]}-1]+=$word\n"
    "        else\n"
    "            joined+=(\"$word\")\n"
    "        fi\n"
    "        is_joined=false\n"
    "        [[ $word == *= ]] && is_joined=true\n"
    "    done\n"
    "    cur=${joined[${#joined[@]}-1]} command='' of=''\n"
    "    [[ ${#joined[@]} -gt 1 ]] && command=${joined[0]}\n"
    "    [[ ${#joined[@]} -gt 2 ]] && of=${joined[${#joined[@]}-2]}\n"
    "    case $cur in --*=*) of=${cur%%=*} cur=${cur#*=} ;; esac\n"
    "}\n\n";

static int print_bash(void) {
    const struct ks_command *command;
    printf(
        "# Completion of ketsweep for bash. Written by `ketsweep completion bash`.\n\n_ketsweep_commands='");
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++)
        printf("%s%s", i > 0 ? " " : "", command->name);
    printf("'\n_ketsweep_methods='");
    print_methods();
    printf("'\n_ketsweep_keys='");
    KS_TRY(ks_config_visit_keys(print_key, NULL));
    printf("'\n\n_ketsweep_values() {\n    case $1 in\n");
    KS_TRY(ks_config_visit_keys(print_bash_key, NULL));
    printf("    esac\n}\n\n%s_ketsweep() {\n    local cur command of options='' with_value=''\n",
           bash_functions);
    printf("    COMPREPLY=()\n    _ketsweep_read_line\n    case $command in\n"
           "        '') _ketsweep_words \"$_ketsweep_commands --help --version\"; return ;;\n");
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++) {
        printf("        %s) options='", command->name);
        print_bash_options(command, false);
        printf("' with_value='");
        print_bash_options(command, true);
        printf("' ;;\n");
    }
    printf("    esac\n    [[ \" $with_value \" == *\" $of \"* ]] || of=''\n"
           "    if [[ -z $of && $cur == -* ]]; then\n        _ketsweep_words \"$options\"\n        return\n  "
           "  fi\n"
           "    case $command:$of in\n");
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++) print_bash_values(command);
    printf("    esac\n}\n\ncomplete -F _ketsweep ketsweep\n");
    return 0;
}

/* ---- zsh ------------------------------------------------------------------------------------------------------ */

/* What _arguments does for a value. */
static void print_zsh_action(const char *what, const char *words) {
    print_quoted(what, ":");
    if (words[0] != '=')
        printf(":(%s)", words);
    else if (strcmp(words, "=methods") == 0) {
        printf(":(");
        print_methods();
        printf(")");
    } else if (strcmp(words, "=commands") == 0)
        printf(":_ketsweep_commands");
    else if (strcmp(words, "=set") == 0)
        printf(":_ketsweep_set");
    else if (strcmp(words, "=file") == 0)
        printf(":_files");
    else if (strcmp(words, "=any") == 0)
        printf(": ");
    else
        printf(":_files -g \"*.%s\"", words + 1);
}

static void print_zsh_option(const struct ks_use *use) {
    const struct ks_option *option = ks_arguments_option(use->name);
    const char *words = find_words(option->value, use->choices, false);
    bool is_repeated = strcmp(option->name, "set") == 0;
    printf(" \\\n        '");
    if (option->letter[0] != '\0')
        printf("(%s --%s)'{%s,--%s", option->letter, option->name, option->letter, option->name);
    else
        printf("%s--%s", is_repeated ? "*" : "", option->name);
    printf("%s%s[", option->value != NULL ? "=" : "", option->letter[0] != '\0' ? "}'" : "");
    print_quoted(ks_help_meaning(option, use), "[]:");
    printf("]");
    if (option->value != NULL) {
        printf(":");
        print_zsh_action(option->value, words);
    }
    printf("'");
}

static void print_zsh_command(const struct ks_command *command) {
    bool is_many = strstr(command->operand, "...") != NULL;
    printf("    %s) _arguments -s", command->name);
    for (const struct ks_use *use = command->options; use->name != NULL; use++) print_zsh_option(use);
    print_zsh_option(ks_command_option(command, "help"));
    printf(" \\\n        '%s:", is_many ? "*" : command->operand[0] == '[' ? "1:" : "1");
    print_zsh_action(command->operand, find_words(command->operand, command->choices, true));
    printf("' ;;\n");
}

static void print_zsh_key(void *self, const char *key, const char *meaning, int n_values,
                          const char *const *values) {
    (void)self;
    (void)n_values;
    (void)values;
    printf("    '%s:", key);
    print_quoted(meaning, "\\");
    printf("'\n");
}

static const char zsh_functions[] = "_ketsweep_set() {\n"
                                    "    local -a words\n"
                                    "    if compset -P '*='; then\n"
                                    "        words=(${(f)\"$(_ketsweep_values ${IPREFIX%=})\"})\n"
                                    "        [[ -n $words ]] && compadd -a words\n"
                                    "    else\n"
                                    "        _describe key _ketsweep_keys -S '='\n"
                                    "    fi\n"
                                    "}\n\n"
                                    "_ketsweep_commands() {\n"
                                    "    _describe command _ketsweep_command_list\n"
                                    "}\n\n";

static int print_zsh(void) {
    const struct ks_command *command;
    printf("#compdef ketsweep\n# Completion of ketsweep for zsh. Written by `ketsweep completion zsh`.\n\n"
           "typeset -ga _ketsweep_command_list _ketsweep_keys\n_ketsweep_command_list=(\n");
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++) {
        printf("    '%s:", command->name);
        print_quoted(command->summary, "");
        printf("'\n");
    }
    printf(")\n_ketsweep_keys=(\n");
    KS_TRY(ks_config_visit_keys(print_zsh_key, NULL));
    printf(")\n\n_ketsweep_values() {\n    case ${1##*=} in\n");
    KS_TRY(ks_config_visit_keys(print_bash_key, NULL));
    printf("    esac\n}\n\n%s_ketsweep() {\n    if ((CURRENT == 2)); then\n"
           "        if [[ $PREFIX == -* ]]; then compadd -- --help --version; else _ketsweep_commands; fi\n"
           "        return\n    fi\n"
           "    local command=$words[2]\n    shift words\n    ((CURRENT--))\n    case $command in\n",
           zsh_functions);
    for (int i = 0; (command = ks_command_at(i)) != NULL; i++) print_zsh_command(command);
    printf("    esac\n}\n\nif [[ $funcstack[1] == _ketsweep ]]; then\n    _ketsweep \"$@\"\nelse\n"
           "    compdef _ketsweep ketsweep\nfi\n");
    return 0;
}

int ks_completion_command(const struct ks_arguments *arguments) {
    return strcmp(arguments->operand, "zsh") == 0 ? print_zsh() : print_bash();
}
