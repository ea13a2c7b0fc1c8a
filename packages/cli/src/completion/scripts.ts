/**
 * The scripts ask the program itself, which knows its commands and can ask the control plane for names. It
 * answers with a line for each candidate, `VALUE` or `VALUE<TAB>DESCRIPTION`, or `:files` where a path is due.
 */

const bash = `# Completion of bulkhead for bash. Add to ~/.bashrc:
#   source <(bulkhead completion bash)
_bulkhead() {
  local current=\${COMP_WORDS[COMP_CWORD]} line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _bulkhead bulkhead
`

const zsh = `#compdef bulkhead
# Completion of bulkhead for zsh. Add to ~/.zshrc:
#   source <(bulkhead completion zsh)
_bulkhead() {
  local line
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    [[ -n $line ]] && candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done
  _describe -V bulkhead candidates
}
compdef _bulkhead bulkhead
`

const fish = `# Completion of bulkhead for fish. Run once:
#   bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish
function __bulkhead_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines ($words[1] __complete -- $words[2..-1] 2>/dev/null)
  if contains -- :files $lines
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $lines
  end
end
complete -c bulkhead -f -k -a '(__bulkhead_complete)'
`

export const completionScripts = { bash, zsh, fish } as const
export type Shell = keyof typeof completionScripts
