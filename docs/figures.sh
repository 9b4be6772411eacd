#!/usr/bin/env bash
# Every picture and figure of README and docs that shows the embedded network, made again from the
# network that ships, so that none is older than it:
#
#     PHOTOS=kodak PAINTINGS=core MORE=extra MANY=many LARGE=large.jpg docs/figures.sh [STEP...]
#
# PHOTOS     Kodak's test photos, kodim01.jpg to kodim24.jpg
# PAINTINGS  the paintings of models/cin/training-styles.json
# MANY       the paintings that docs/data/unseen-paintings.json names (paths relative to it)
# MORE       further paintings, among them the eight of the gallery
# LARGE      a photo of some megapixels with a horizon
# ARBITRARY_NST_VGG19 and ARBITRARY_NST_MAGENTA name the weights of the other networks.
#
# Steps: scores unseen readme gallery engines regions demo. All of them take about an hour and a half on
# two cores, most of it for VGG19 in `scores` and `engines`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${PHOTOS:?}" "${PAINTINGS:?}" "${MORE:?}" "${MANY:?}" "${LARGE:?}"
list=models/cin/training-styles.json
photo() { echo "$PHOTOS/kodim$1.jpg"; }

scores() { # every named style on all photos, beside Magenta's network
    arbitrary-nst evaluate --photos "$PHOTOS" --styles "$PAINTINGS" --style-list "$list" \
        --csv docs/data/evaluate.csv
    arbitrary-nst evaluate --photos "$PHOTOS" --limit 6 --styles "$PAINTINGS" --style-list "$list" \
        --engine cin --engine magenta --csv docs/data/evaluate-magenta.csv
}

unseen() { # paintings that were kept out of training, on two photos
    local two
    two=$(mktemp -d)
    cp "$(photo 20)" "$(photo 23)" "$two"
    arbitrary-nst evaluate --photos "$two" --styles "$MANY" \
        --style-list docs/data/unseen-paintings.json --engine cin --engine magenta \
        --csv docs/data/evaluate-unseen.csv
    rm -r "$two"
}

readme() {
    python examples/readme_pictures.py --photos "$PHOTOS" --out docs/images
    python examples/blend_strip.py "$(photo 07)" great-wave:composition-vii \
        starry-night:roman-mosaic scream:water-lilies the-kiss:blue-horses udnie:cubist-ochre \
        shipwreck:woman-with-a-hat -o docs/images/blend-strips.jpg
}

gallery() {
    python examples/painting_gallery.py -o docs/images \
        --photos "$(photo 04)" "$(photo 07)" "$(photo 21)" "$(photo 23)" --paintings \
        "$MORE/albrecht-durer-young-hare.jpg" "$MORE/gustav-klimt-adele-bloch-bauer-i.jpg" \
        "$MORE/egon-schiele-four-trees.jpg" "$MORE/giuseppe-arcimboldo-vertumnus.jpg" \
        "$MORE/henri-matisse-goldfish.jpg" "$MORE/pieter-bruegel-the-hunters-in-the-snow.jpg" \
        "$MORE/francis-picabia-edtaonisl.jpg" "$MORE/kitagawa-utamaro-three-beauties.jpg"
}

engines() {
    python examples/compare_engines.py --photo "$(photo 04)" --styles "$PAINTINGS" \
        --style-list "$list" --names starry-night composition-vii roman-mosaic the-kiss \
        -o docs/images/engines.jpg
}

regions() {
    python examples/regions_and_scale.py "$(photo 21)" "$LARGE" --horizon 0.5 -o docs/images
}

demo() { # needs chromium and playwright
    ARBITRARY_NST_SCREENSHOTS=docs/images python -m pytest -m slow -k shots tests
}

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(scores unseen readme gallery engines regions demo)
for step in "${steps[@]}"; do
    echo "== $step"
    "$step"
done
