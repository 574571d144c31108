import type { Words } from './en.ts'

/** Everything that the page says, in Danish. */
export const da: Words = {
  language: 'da',
  title: 'Efterprøv en dokumentationspakke',
  lead: 'Signaturer, fuldstændighed, pladser i loggen og selve vurderingen regnes efter her i din browser.',
  offline:
    'Siden henter intet og sender intet: dens egne regler forbyder den ethvert netværk. Brug et eksemplar, du ikke har fået sammen med pakken.',
  pack: 'Dokumentationspakke',
  packHint: 'Zip-filen, som du har modtaget den.',
  trust: 'Tillidsfil',
  trustHint:
    'Din egen fil med de nøgler, du fik ved tilmeldingen (YAML); flere filer, hvis der er flere agenter.',
  drop: 'Slip pakken og tillidsfilen hvor som helst på siden, eller vælg dem.',
  reading: 'Læser pakken',
  signatures: 'Efterprøver signaturer',
  judging: 'Efterprøver loggens beviser og beregner vurderingen',
  cannot: 'Det kunne ikke efterprøves',
  result: {
    verified: { word: 'Bekræftet', text: 'Alt holdt, med de nøgler du selv stoler på.' },
    'self-consistent, not anchored': {
      word: 'Stemmer med sig selv, ikke forankret',
      text: 'Alt stemmer, men ingen har stået inde for nøglerne. Tilføj din tillidsfil.',
    },
    'not checked in full': {
      word: 'Ikke efterprøvet fuldt ud',
      text: 'Intet slog fejl, men noget kunne ikke efterprøves.',
    },
    refused: { word: 'Afvist', text: 'Noget slog fejl: forlad dig ikke på denne pakke.' },
  },
  outcome: { held: 'holdt', failed: 'fejlede', 'not-checked': 'ikke efterprøvet' },
  facts: {
    contract: 'Aftale',
    customer: 'Kunde',
    period: 'Periode',
    made: 'Pakken er lavet',
    statements: 'Erklæringer',
    log: 'Log',
    digest: 'SHA-256 af pack.json',
    to: 'til',
    leaves: 'blade',
  },
  verdict: 'Vurdering af aftalen',
  verdictAt: 'beregnet på ny: pr. {at}, ud fra det modtagne til og med {knownAt}',
  noVerdict: 'Der vises ingen vurdering: på dokumentation, hvor noget ikke holder, ville den kun vildlede.',
  obligations: 'Forpligtelser',
  state: {
    compliant: 'overholdt',
    'at-risk': 'i risiko',
    breached: 'ikke overholdt',
    unknown: 'ukendt',
    'not-applicable': 'ikke relevant',
    met: 'opfyldt',
    discharged: 'udløbet som aftalt',
    stale: 'forældet',
    late: 'forsinket',
    missed: 'udeblevet',
    lost: 'for tidligt slettet',
    pending: 'afventer',
    excused: 'undtaget',
    PASSED: 'bestået',
    FAILED: 'ikke bestået',
    INCONCLUSIVE: 'uafklaret',
    complete: 'fuldstændig',
    partial: 'delvis',
    failed: 'mislykket',
    refused: 'afvist',
    allowed: 'tilladt',
    inconclusive: 'uafklaret',
    enrolled: 'tilmeldt',
    started: 'startet',
    stopped: 'stoppet',
    heartbeat: 'livstegn',
    rotated: 'nøgle skiftet',
    reinstalled: 'geninstalleret',
    alarm: 'alarm',
    revoked: 'tilbagekaldt',
    retired: 'udgået',
  },
  dimension: {
    points: 'Gendannelsespunkter',
    retention: 'Mindste opbevaringstid',
    ceiling: 'Længste opbevaringstid',
    proof: 'Gendannelsestest',
    copies: 'Eksterne kopier',
    evidence: 'Dokumentation',
  },
  checks: 'Hvad der er efterprøvet',
  check: {
    'zip.structure': {
      title: 'Zip-filen',
      means:
        'Ethvert program pakker de samme filer ud af den: ikke to navne til én fil, ingen skjulte bytes, ingen bomber.',
    },
    'pack.description': {
      title: 'Pakkens beskrivelse',
      means: 'pack.json er velformet og ubeskadiget.',
    },
    'files.accounted': {
      title: 'Hver fil er gjort rede for',
      means: 'Pakken rummer netop de filer, som pack.json opregner, hver med sin størrelse og SHA-256.',
    },
    'keys.valid': {
      title: 'Nøgler',
      means: 'Hver nøgle er en Ed25519-nøgle, man kan forlade sig på, navngivet med sin egen SHA-256.',
    },
    'trust.log': {
      title: 'Loggens nøgle er den, du stoler på',
      means: 'Loggens nøgle er den i din tillidsfil.',
    },
    'trust.agents': {
      title: 'Agenternes nøgler er dem, du stoler på',
      means:
        'Hver agents nøgle står ved agenten i din tillidsfil, eller er overladt til rodnøglen der, og ingen agent, du har nævnt, mangler.',
    },
    'trust.root': {
      title: 'Agenternes nøgler er signeret med din rodnøgle',
      means:
        'Hver agents nøgle er signeret med rodnøglen i din tillidsfil, eller godkendt med en, der er, hvis filen nævner en.',
    },
    'trust.parties': {
      title: 'Beslutninger er signeret med parternes egne nøgler',
      means:
        'Hver accept, godkendelse og sletteforbud i en parts navn er signeret med partens egen nøgle, hvis din tillidsfil nævner en, og ikke kun af modtagerens kontor.',
    },
    'envelopes.signatures': {
      title: 'Signaturer',
      means: 'Hver erklæring er signeret med en nøgle, der tilhører den agent, den nævner, i dens epoke.',
    },
    'statements.valid': {
      title: 'Erklæringer',
      means: 'Hvert indhold er en erklæring efter specifikationen, i den ene form, der kan signeres.',
    },
    'enrolment.present': {
      title: 'Tilmeldinger',
      means:
        'Hver agents nøgle blev indført ved en erklæring, som både nøglen og den, der gav den lov, har signeret.',
    },
    'chain.unbroken': {
      title: 'Kæder uden huller',
      means: 'Hver agents erklæringer er nummereret fra 1 uden huller, og hver nævner den foregående.',
    },
    'chain.equivocation': {
      title: 'Én erklæring pr. nummer',
      means: 'Ingen agent har signeret to forskellige erklæringer til samme plads i sin kæde.',
    },
    'keys.revocation': {
      title: 'Tilbagekaldte nøgler',
      means: 'Loggen rummer intet, som en nøgle har signeret efter sin tilbagekaldelse.',
    },
    'log.checkpoint': {
      title: 'Loggens signerede hoved',
      means: 'Loggens hoved er signeret med loggens nøgle.',
    },
    'log.inclusion': {
      title: 'Erklæringerne er i loggen',
      means: 'Hver signatur på hver erklæring er et blad i det træ, som loggens hoved signerer.',
    },
    'log.index': {
      title: 'Indekset stemmer',
      means:
        'index.jsonl nævner hvert blad i pakken og intet andet, i loggens orden, med tider, der aldrig går tilbage, og ingen efter at pakken blev lavet.',
    },
    'log.consistency': {
      title: 'Loggen er kun vokset',
      means: 'Hvert hoved af loggen, som en agent har set, er begyndelsen på den log, der er signeret her.',
    },
    'log.cosignatures': {
      title: 'Andre har set loggens hoved',
      means:
        'Hvert medsigneret hoved hører til denne log, og et hoved er medsigneret af så mange, som politikken i din tillidsfil kræver.',
    },
    'time.stamps': {
      title: 'Tidsstempler',
      means:
        'Hvert stempel fra et ur udefra holder (RFC 3161), gælder et hoved af denne log, og dets bevis ligger i loggen.',
    },
    'time.bounds': {
      title: 'Modtagelsestider inden for stemplerne',
      means: 'Intet modtagelsestidspunkt, som collectoren påstår, strider mod stemplerne før og efter.',
    },
    'completeness.population': {
      title: 'Intet er udeladt',
      means:
        'Pakken rummer så mange erklæringer fra hver agent, til og med den samme sidste, som beskrivelsen siger.',
    },
    'contract.text': {
      title: 'Aftalen',
      means:
        'Hver tekst af aftalen er den, som pack.json nævner (og din tillidsfil, hvis den nævner en); den sidste kan beregnes.',
    },
    'verdict.recomputed': {
      title: 'Vurderingen er beregnet på ny',
      means: 'Aftalen, beregnet på de efterprøvede erklæringer, giver nøjagtig verdict.json.',
    },
    'table.rederived': {
      title: 'Tabellen stemmer',
      means: 'evidence.csv er, hvad de efterprøvede erklæringer giver.',
    },
  },
  more: 'og {count} mere',
  cause:
    'Det, nøglen har signeret, kan ikke efterprøves, og det meste af det, der fejler nedenfor, følger af det.',
  notProven: 'Hvad ingen kontrol kan bevise',
  told: [
    [/^(\d+) files?$/, '$1 filer'],
    [/^(\d+) files?, (\d+) bytes?$/, '$1 filer, $2 bytes'],
    [/^contract (\S+), made (\S+)$/, 'aftale $1, lavet $2'],
    [/^(\d+) keys? and the log’s$/, '$1 nøgler og loggens'],
    [/^(\d+) agents?$/, '$1 agenter'],
    [/^your trust file names no root key$/, 'din tillidsfil nævner ingen rodnøgle'],
    [/^no trust file names a root key$/, 'ingen tillidsfil nævner en rodnøgle'],
    [/^(\d+) keys? signed by (\S+)$/, '$1 nøgler signeret af $2'],
    [
      /^(agent \S+), epoch (\d+): key (\S+) is not signed by your root key (\S+?)(?::.*)?$/,
      '$1, epoke $2: nøglen $3 er ikke signeret med din rodnøgle $4',
    ],
    [
      /^(.+): its event says less than your root key’s word( \(and \d+ more\))?$/,
      '$1: dens hændelse siger mindre, end din rodnøgle har sagt$2',
    ],
    [/^your trust file names no key of a party$/, 'din tillidsfil nævner ingen nøgle for en part'],
    [/^no trust file names a key of a party$/, 'ingen tillidsfil nævner en nøgle for en part'],
    [
      /^(\d+) acceptances? and (\d+) other events? signed by (.+)$/,
      '$1 accepter og $2 andre hændelser signeret af $3',
    ],
    [
      /^the text of the contract: version (\d+) accepted, not signed by (.+)$/,
      'aftalens tekst: accept af version $1 er ikke signeret af $2',
    ],
    [
      /^the text of the contract: exclusion from (\S+) approved, not signed by (.+)$/,
      'aftalens tekst: godkendelsen af undtagelsen fra $1 er ikke signeret af $2',
    ],
    [/^(.+): version (\d+) accepted, not signed by (.+)$/, '$1: accept af version $2 er ikke signeret af $3'],
    [/^(.+): ([a-z-]+), not signed by (.+)$/, '$1: $2 er ikke signeret af $3'],
    [
      /^(.+): signed with another key than the (?:customer|provider)’s, (.+)$/,
      '$1: signeret med en anden nøgle end partens, $2',
    ],
    [/^(.+): the (?:customer|provider) signed something else(.*)$/, '$1: parten signerede noget andet$2'],
    [
      /^(.+): the (?:customer|provider) signed it once, for an event before(.*)$/,
      '$1: parten signerede det én gang, til en tidligere hændelse$2',
    ],
    [/^(\d+) signatures? over (\d+) statements?$/, '$1 signaturer på $2 erklæringer'],
    [/^(\d+) statements?$/, '$1 erklæringer'],
    [/^(\d+) epochs?$/, '$1 epoker'],
    [/^(\d+) chains?, (\d+) statements?$/, '$1 kæder, $2 erklæringer'],
    [/^(\d+) places?$/, '$1 pladser'],
    [/^none revoked$/, 'ingen er tilbagekaldt'],
    [
      /^the key of (\S+) may have been in other hands since (\S+), and of (\d+) statements? no stamp .*$/,
      'nøglen for $1 kan have været i andres hænder siden $2, og for $3 erklæringer beviser intet stempel fra et ur i din tillidsfil (tsa), at de blev logget før det',
    ],
    [
      /^the key (\S+) may have been in other hands since (\S+), and of (\d+) statements? no stamp .*$/,
      'nøglen $1 kan have været i andres hænder siden $2, og for $3 erklæringer beviser intet stempel fra et ur i din tillidsfil (tsa), at de blev logget før det',
    ],
    [/^(\d+) revoked$/, '$1 tilbagekaldt'],
    [/^(\S+), (\d+) lea(?:f|ves)$/, '$1, $2 blade'],
    [/^(\d+) lea(?:f|ves)$/, '$1 blade'],
    [/^(\d+) statements? in log order$/, '$1 erklæringer i loggens orden'],
    [/^(\d+) heads? that agents had seen$/, '$1 hoveder, som agenter har set'],
    [/^(\d+) statements?, (\d+) in the period$/, '$1 erklæringer, $2 i perioden'],
    [
      /^(\d+) statements?, (\d+) in the period; (\d+) marked, (\d+) of them in the period, for (.+); the other (\d+) are here too$/,
      '$1 erklæringer, $2 i perioden; $3 mærket, heraf $4 i perioden, for $5; de øvrige $6 er her også',
    ],
    [/^(\d+) rows?$/, '$1 rækker'],
    [/^no trust file: the keys? came with the pack$/, 'ingen tillidsfil: nøglerne kom med pakken'],
    [/^not reached: what it needs did not hold$/, 'ikke nået: det, den bygger på, holdt ikke'],
    [
      /^Whose keys these are\..*$/,
      'Hvis nøglerne er. De kom med pakken: tilføj en tillidsfil med de nøgler, du fik ved tilmeldingen.',
    ],
    [
      /^That the contract is the one you signed.*$/,
      'At aftalen er den, du har skrevet under på: teksten kom med pakken. Sammenlign dens SHA-256, eller nævn den i tillidsfilen.',
    ],
    [
      /^What report\.pdf says\..*$/,
      'Hvad der står i report.pdf. Den er, som collectoren har lavet den; vurderingen her kommer fra dokumentationen, ikke fra den.',
    ],
    [
      /^What the pack’s own verify\.html shows\..*$/,
      'Hvad pakkens egen verify.html viser. Den, der lavede pakken, kan have lagt en anden i: brug et eksemplar fra et andet sted.',
    ],
    [
      /^(agent \S+), epoch (\d+): key (\S+) is not in your trust file$/,
      '$1, epoke $2: nøglen $3 står ikke i din tillidsfil',
    ],
    [
      /^If the key is one of your own machines’.*$/,
      'Hører nøglen til en af dine egne maskiner, så tilføj også dens tillidsfil (den ligger i agentens tilstandsmappe), eller skriv nøglen i din: keyid må være en liste. Tag aldrig nøglen fra pakken.',
    ],
    [
      /^When things happened\. An agent’s clock.*$/,
      'Hvornår noget skete. En agents ur er dens egen påstand, og tidspunktet for modtagelsen er collectorens: pakken rummer ingen stempler fra et ur udefra.',
    ],
    [
      /^That the collector shows everybody the same log\. .*$/,
      'At collectoren viser alle den samme log. Agenternes eget syn på den er efterprøvet; din tillidsfil kræver ingen medsignering (policy).',
    ],
    [
      /^That the collector shows everybody the same log beyond leaf (\d+):.*$/,
      'At collectoren viser alle den samme log efter blad $1: det, der kom senere, er endnu ikke medsigneret.',
    ],
    [
      /^That those who cosigned.*$/,
      'At de, der har medsigneret loggens hoved, er uafhængige af hinanden og af den, der driver loggen. Du har valgt dem.',
    ],
    [
      /^(\d+) heads?; your trust file asks for no cosigners$/,
      '$1 hoveder; din tillidsfil kræver ingen medsignering',
    ],
    [/^your policy asks for no cosigners$/, 'din politik kræver ingen medsignering'],
    [/^(\d+) of (\d+) lea(?:f|ves) seen by (.*)$/, '$1 af $2 blade set af $3'],
    [
      /^no head of the log is cosigned as your policy asks$/,
      'intet hoved af loggen er medsigneret, som din politik kræver',
    ],
    [
      /^(\d+) of (\d+) statements? logged before a stamp$/,
      '$1 af $2 erklæringer er ført i loggen før et stempel',
    ],
    [/^the pack has none$/, 'pakken har ingen'],
    [
      /^Whose clocks stamped it:.*$/,
      'Hvis ure der har stemplet: deres rødder kom med pakken. Nævn deres SHA-256 i din tillidsfil (tsa) for at forlade dig på dem.',
    ],
    [
      /^When things happened, closer than.*$/,
      'Hvornår noget skete, nærmere end stemplerne før og efter fortæller. En agents ur er dens egen påstand.',
    ],
    [
      /^That the newest statements are all here\..*$/,
      'At de nyeste erklæringer alle er her. En pakke, der slutter før, ligner en pakke, der er lavet før; vurderingen regner tavshed leverandøren til last.',
    ],
    [
      /^What an agent saw, if its machine was in other hands.*$/,
      'Hvad en agent så, hvis dens maskine var i andres hænder: en signatur beviser, hvem der talte, ikke at det er sandt.',
    ],
  ],
  evidence: 'Dokumentationen',
  evidenceLead: 'Hver erklæring, hvis signatur holder, i loggens orden.',
  hidden: 'Der vises ingen erklæringer, da noget ikke holdt.',
  column: {
    dated: 'Dateret',
    kind: 'Art',
    agent: 'Agent',
    set: 'Backupsæt',
    outcome: 'Udfald',
    leaf: 'Blad',
  },
  kind: {
    'backup-run': 'Backup',
    inventory: 'Beholdningsliste',
    'restore-test': 'Gendannelsestest',
    'retention-run': 'Oprydning',
    'data-check': 'Integritetskontrol',
    'deletion-probe': 'Sletteprøve',
    'agent-lifecycle': 'Agenthændelse',
    'contract-event': 'Aftalehændelse',
  },
  all: 'Alle arter',
  filter: 'Vis',
  shown: '{shown} af {total}',
  next: 'Vis flere',
}
