// Parses PowerShell scripts with tree-sitter's grammar, as ctest's PowerShellSyntax: there is no PowerShell in Debian.
//   node powershell_syntax.js DIRECTORY SCRIPT...
// The parser comes from the npm registry into DIRECTORY, once. Exits 1 with a line per error, 77 where it cannot be had.
'use strict';

const {execFileSync} = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const PACKAGES = {'tree-sitter-powershell': '0.26.4', 'web-tree-sitter': '0.27.2'};
const TIME_LIMIT = 120_000;  // milliseconds

function fetchPackage(directory, name, version) {
    const place = path.join(directory, `${name}-${version}`);
    if (fs.existsSync(place)) return place;
    fs.mkdirSync(directory, {recursive: true});
    const scratch = fs.mkdtempSync(path.join(directory, 'fetch-'));
    try {
        const options = {cwd: scratch, timeout: TIME_LIMIT, stdio: ['ignore', 'pipe', 'pipe']};
        const archive = execFileSync('npm', ['pack', '--silent', `${name}@${version}`], options).toString().trim();
        execFileSync('tar', ['-xzf', archive], options);
        fs.renameSync(path.join(scratch, 'package'), place);
    } finally {
        fs.rmSync(scratch, {recursive: true});
    }
    return place;
}

async function makeParser(places) {
    const {Parser, Language} = require(path.join(places['web-tree-sitter'], 'web-tree-sitter.cjs'));
    await Parser.init();
    const parser = new Parser();
    const grammar = path.join(places['tree-sitter-powershell'], 'tree-sitter-powershell.wasm');
    parser.setLanguage(await Language.load(grammar));
    return parser;
}

// "LINE:COLUMN: unexpected TEXT" of everything that is no PowerShell.
function errorsIn(node) {
    const at = `${node.startPosition.row + 1}:${node.startPosition.column + 1}`;
    if (node.isMissing) return [`${at}: missing ${node.type}`];
    if (node.isError) return [`${at}: unexpected ${JSON.stringify(node.text.slice(0, 80))}`];
    return node.hasError ? node.children.flatMap(errorsIn) : [];
}

async function main([directory, ...scripts]) {
    const places = {};
    try {
        for (const [name, version] of Object.entries(PACKAGES)) places[name] = fetchPackage(directory, name, version);
    } catch (error) {
        console.log(`the parser cannot be had from the npm registry here: ${error.message}`);
        return 77;
    }
    const parser = await makeParser(places);
    for (const broken of ['if ($a) {', 'function { }', '$x = "', 'param([string $Name)']) {
        if (parser.parse(broken).rootNode.hasError) continue;
        console.log(`the parser takes what is no PowerShell: ${broken}`);
        return 1;
    }
    let found = 0;
    for (const script of scripts) {
        const errors = errorsIn(parser.parse(fs.readFileSync(script, 'utf8')).rootNode);
        for (const error of errors) console.log(`${script}:${error}`);
        found += errors.length;
    }
    if (found === 0) console.log('no syntax error');
    return found === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then((code) => process.exit(code));
